# SPDX-License-Identifier: Apache-2.0
"""The picture of a soak, by gnuplot: memory with its line, rates, latencies, what was open."""

import subprocess

from verdict import fit, mean, second_half

# Points of a curve: more would not be seen.
POINTS_MAX = 300
KINDS = ("queue", "topic", "request", "config")
MINUTE, MIB = 60, 1 << 20
PROLOGUE = """set terminal svg size 900,1000 dynamic font 'sans-serif,11' background '#ffffff'
set output {path}
set multiplot layout 4,1 title {title}
set grid lc rgb '#dddddd'
set key outside right center samplen 2 noenhanced
set lmargin 10
set rmargin 26
set xrange [0:{minutes}]
"""


def draw(rows, title, path):
    """`rows` are the samples; writes an SVG."""
    half = second_half([(row["t"], row["rss_bytes"]) for row in rows])
    line, middle = fit(half), mean(t for t, _ in half)
    hourly = [f"{slope * 3600 / 1024:+.0f}" for slope in (line.slope, line.low, line.high)]
    fitted = [(t / MINUTE, (line.mean + line.slope * (t - middle)) / MIB)
              for t in (half[0][0], half[-1][0])]
    latencies = [(f"{kind} {share}", _curve(rows, f"{kind}_{share}_ms"))
                 for kind in KINDS for share in ("p50", "p99")]
    script = PROLOGUE.format(path=_quoted(path), title=_quoted(title),
                             minutes=rows[-1]["t"] / MINUTE)
    slope = _quoted(f"RSS: {hourly[0]} KiB/h in the second half (95 %: {hourly[1]} to {hourly[2]})")
    script += _panel("MiB", f"set yrange [0:*]; set title {slope}", [
        ("RSS", _curve(rows, "rss_bytes", MIB)), ("fitted line", fitted)])
    script += _panel("done, 1/s", "unset title; set yrange [*:*]; set logscale y",
                     [(kind, _curve(rows, f"{kind}_done")) for kind in KINDS])
    script += _panel("ms", "", latencies)
    script += _panel("open", "unset logscale y; set yrange [0:*]; set xlabel 'minutes'", [
        (name, _curve(rows, name)) for name in ("streams", "descriptors", "threads")])
    done = subprocess.run(["gnuplot"], input=script, text=True, check=False, capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"gnuplot could not draw: {done.stderr}")


def _panel(unit, settings, curves):
    """One diagram of (name, points)."""
    blocks = "".join(f"$data{i} << EOD\n" + "".join(f"{t:.3f} {value:.5g}\n" for t, value in points)
                     + "EOD\n" for i, (_, points) in enumerate(curves))
    plots = ", ".join(f"$data{i} with lines lw 1.3 dt {2 if name.endswith('p99') else 1} "
                      f"title {_quoted(name)}"
                      for i, (name, _) in enumerate(curves))
    return f"{settings}\nset ylabel {_quoted(unit)}\n{blocks}plot {plots}\n"


def _quoted(text):
    return '"' + str(text).replace('"', "'") + '"'


def _curve(rows, column, unit=1):
    """(minutes, value): means of equal stretches of time."""
    step = max(1, len(rows) // POINTS_MAX)
    points = []
    for i in range(0, len(rows), step):
        known = [row[column] for row in rows[i:i + step] if row.get(column) is not None]
        if known:
            points.append((rows[i]["t"] / MINUTE, mean(known) / unit))
    return points
