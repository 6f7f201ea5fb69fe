#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes sluice.json, the dashboard, from the table in panels.py: `python3 -B dashboard.py`.

Edit the table and run this. A dashboard that was changed in Grafana is not read back.
"""

import json
import os

from panels import ROWS

PROMETHEUS = {"type": "prometheus", "uid": "$datasource"}
ROW_COLUMNS, PANELS_A_ROW, PANEL_HEIGHT = 24, 3, 8
TILE_COLUMNS, TILE_HEIGHT = 3, 4


def target(number, expression, legend, is_now):
    return {"datasource": PROMETHEUS, "editorMode": "code", "expr": expression, "instant": is_now,
            "legendFormat": legend, "range": not is_now, "refId": chr(ord("A") + number)}


def graph(panel):
    """Lines over time."""
    defaults = {"unit": panel.unit, "custom": {"fillOpacity": 8, "lineWidth": 1,
                                               "showPoints": "never", "spanNulls": False}}
    if panel.least is not None:
        defaults["min"] = panel.least
    if panel.most is not None:
        defaults["max"] = panel.most
    return {"type": "timeseries", "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": {"legend": {"calcs": [], "displayMode": "list", "placement": "bottom",
                                   "showLegend": True},
                        "tooltip": {"mode": "multi", "sort": "desc"}}}


def tile(panel):
    """The latest value, green or red: red from `alarm` on, or below it if it must be high."""
    steps = [{"color": "green", "value": None}]
    if panel.alarm is not None:
        colors = ("red", "green") if panel.must_be_high else ("green", "red")
        steps = [{"color": colors[0], "value": None},
                 {"color": colors[1], "value": panel.alarm}]
    return {"type": "stat",
            "fieldConfig": {"defaults": {"unit": panel.unit, "thresholds": {
                "mode": "absolute", "steps": steps}}, "overrides": []},
            "options": {"colorMode": "value", "graphMode": "area", "justifyMode": "auto",
                        "orientation": "auto", "textMode": "auto",
                        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "",
                                          "values": False}}}


def placed(panel, number, x, y):
    width, height = ((TILE_COLUMNS, TILE_HEIGHT) if panel.is_tile
                     else (ROW_COLUMNS // PANELS_A_ROW, PANEL_HEIGHT))
    return {"id": number, "title": panel.title, "description": panel.description,
            "datasource": PROMETHEUS, "gridPos": {"x": x, "y": y, "w": width, "h": height},
            "targets": [target(i, expression, legend, panel.is_tile)
                        for i, (expression, legend) in enumerate(panel.lines)],
            **(tile(panel) if panel.is_tile else graph(panel))}


def laid_out():
    """The panels of all rows, from left to right and down."""
    panels, y = [], 0
    for title, row in ROWS:
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "collapsed": False,
                       "gridPos": {"x": 0, "y": y, "w": ROW_COLUMNS, "h": 1}, "panels": []})
        y += 1
        x = height = 0
        for panel in row:
            one = placed(panel, len(panels) + 1, x, y)
            place = one["gridPos"]
            if x + place["w"] > ROW_COLUMNS or height not in (0, place["h"]):
                x, y = 0, y + height
                place["x"], place["y"] = x, y
            x, height = x + place["w"], place["h"]
            panels.append(one)
        y += height
    return panels


def variables():
    return [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus",
         "hide": 0, "includeAll": False, "multi": False, "refresh": 1},
        {"name": "instance", "label": "Daemon", "type": "query", "datasource": PROMETHEUS,
         "query": {"query": "label_values(sluice_build_info, instance)", "refId": "instance"},
         "definition": "label_values(sluice_build_info, instance)", "hide": 0, "includeAll": True,
         "allValue": ".+", "multi": True, "refresh": 2, "sort": 1,
         "current": {"selected": True, "text": ["All"], "value": ["$__all"]}},
    ]


def dashboard():
    return {"uid": "sluice", "title": "Sluice", "tags": ["sluice"], "schemaVersion": 38,
            "description": "sluiced: what flows, what waits, what is refused, what is lost.",
            "editable": True, "graphTooltip": 1, "refresh": "30s", "style": "dark",
            "time": {"from": "now-1h", "to": "now"}, "timezone": "", "version": 1,
            "annotations": {"list": [
                {"name": "Starts", "enable": True, "datasource": PROMETHEUS, "iconColor": "blue",
                 "expr": "changes(process_start_time_seconds{job=\"sluice\","
                         "instance=~\"$instance\"}[1m]) > 0",
                 "titleFormat": "{{instance}} was started"}]},
            "templating": {"list": variables()}, "panels": laid_out()}


def text():
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sluice.json"), "w",
              encoding="utf-8") as file:
        file.write(text())
