// SPDX-License-Identifier: Apache-2.0
#include "completion.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>

#include "channel_verbs.h"
#include "verbs.h"

namespace sluice::cli {
namespace {

bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::vector<const CLI::App*> Verbs(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// Where in the tree the words before the last one lead.
class Place {
 public:
  Place(const CLI::App& app, Invocation& invocation) : app_(&app), invocation_(invocation) {}

  void Pass(const std::string& word);
  void Print(const std::string& typed) const;

 private:
  const CLI::Option* Find(const std::string& name) const;
  void PrintOptions() const;
  void PrintValues(const CLI::Option& option, const std::string& typed) const;

  const CLI::App* app_;
  Invocation& invocation_;
  const CLI::Option* pending_ = nullptr;  // Its value comes next.
  std::size_t positionals_ = 0;           // Passed.
  bool options_are_over_ = false;
};

const CLI::Option* Place::Find(const std::string& name) const {
  for (const CLI::App* app = app_; app != nullptr; app = app->get_parent()) {
    if (const CLI::Option* const found = app->get_option_no_throw(name)) return found;
  }
  return nullptr;
}

void Place::Pass(const std::string& word) {
  if (pending_ != nullptr) {
    if (word == "=") return;  // A shell may split there.
    if (pending_->check_name("--address")) invocation_.address = word;
    pending_ = nullptr;
    return;
  }
  if (word == "--") {
    options_are_over_ = true;
    return;
  }
  if (!options_are_over_ && word.starts_with("-") && word.size() > 1) {
    const std::size_t equals = word.find('=');  // A value may stand behind it.
    const CLI::Option* const option = Find(word.substr(0, equals));
    if (option != nullptr && TakesValue(*option)) pending_ = option;
    if (equals != std::string::npos && pending_ != nullptr) Pass(word.substr(equals + 1));
    return;
  }
  if (positionals_ == 0) {
    for (const CLI::App* const verb : Verbs(*app_)) {
      if (!verb->check_name(word)) continue;
      app_ = verb;
      return;
    }
  }
  ++positionals_;
}

void Say(const std::string& candidate, const std::string& about) {
  std::cout << candidate;
  if (!about.empty()) std::cout << "\t" << about;
  std::cout << "\n";
}

void Place::PrintOptions() const {
  for (const CLI::App* app = app_; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* const option : app->get_options()) {
      for (const std::string& name : option->get_lnames())
        Say("--" + name, option->get_description());
    }
  }
}

template <class Channel>
void SayNames(const std::vector<Channel>& channels) {
  for (const Channel& channel : channels) Say(channel.name, {});
}

void SayNames(const Invocation& invocation, Names names, const std::string& typed) {
  auto client = invocation.Connect();
  if (!client.ok()) return;
  const Deadline deadline = invocation.CallDeadline();
  switch (names) {
    case Names::kQueues:
      if (const auto reply = client->ListQueues(typed, deadline, kPageSize); reply.ok())
        SayNames(reply->queues);
      break;
    case Names::kTopics:
      if (const auto reply = client->ListTopics(typed, deadline, kPageSize); reply.ok())
        SayNames(reply->topics);
      break;
    case Names::kResponders:
      if (const auto reply = client->ListResponders(typed, deadline, kPageSize); reply.ok())
        SayNames(reply->responders);
      break;
    case Names::kKeys:
      if (const auto reply = client->ListKeys(typed, deadline, kPageSize, {}, true); reply.ok()) {
        for (const ConfigEntry& entry : reply->entries) Say(entry.key, {});
      }
      break;
  }
}

void Place::PrintValues(const CLI::Option& option, const std::string& typed) const {
  if (const auto choices = invocation_.choices.find(&option);
      choices != invocation_.choices.end()) {
    for (const std::string& choice : choices->second) Say(choice, {});
  }
  const auto names = invocation_.names.find(&option);
  if (names != invocation_.names.end()) SayNames(invocation_, names->second, typed);
}

void Place::Print(const std::string& typed) const {
  if (pending_ != nullptr) {
    PrintValues(*pending_, typed == "=" ? "" : typed);
    return;
  }
  if (typed.starts_with("-") && !options_are_over_) {
    PrintOptions();
    return;
  }
  if (positionals_ == 0) {
    for (const CLI::App* const verb : Verbs(*app_)) Say(verb->get_name(), verb->get_description());
  }
  std::size_t number = 0;
  const CLI::Option* found = nullptr;
  for (const CLI::Option* const option : app_->get_options()) {
    if (!option->get_positional()) continue;
    const bool is_it = number++ == positionals_ || option->get_items_expected_max() > 1;
    if (is_it && found == nullptr) found = option;
  }
  if (found != nullptr) PrintValues(*found, typed);
}

constexpr char kBash[] =
    R"sh(# bash completion of sluice: source it, or put it where bash-completion looks.
_sluice() {
  local IFS=$'\n' line word typed="${COMP_WORDS[COMP_CWORD]}" last=-1
  local -a words=()
  COMPREPLY=()
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    # bash splits at the colon of an address, too.
    if (( last >= 0 )) && [[ $word == :* || ${words[last]} == *: ]]; then
      words[last]+=$word
    else
      words[++last]=$word
    fi
  done
  for line in $("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null); do
    line="${line%%$'\t'*}"
    [[ $typed == "=" || $line == "$typed"* ]] && COMPREPLY+=("$line")
  done
}
complete -o default -F _sluice sluice
)sh";

constexpr char kZsh[] = R"sh(#compdef sluice
# zsh completion of sluice: source it, or put it as _sluice into a folder of $fpath.
_sluice() {
  local line
  local -a found
  for line in ${(f)"$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
    found+=("${${line//:/\\:}/$'\t'/:}")
  done
  if (( $#found )); then _describe sluice found; else _files; fi
}
if [[ $funcstack[1] == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
)sh";

constexpr char kFish[] =
    R"sh(# fish completion of sluice: source it, or put it into ~/.config/fish/completions.
complete -c sluice -f -a '(sluice __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
)sh";

}  // namespace

int Complete(const CLI::App& app, const Invocation& invocation,
             const std::vector<std::string>& words) {
  Invocation asking = invocation;
  const char* const bound = std::getenv("SLUICE_COMPLETION_TIMEOUT");
  const double bound_s = bound == nullptr ? 0 : std::strtod(bound, nullptr);
  asking.timeout_s = bound_s > 0 && bound_s <= kAskBoundMaxS ? bound_s : kAskBoundS;
  if (const char* const address = std::getenv("SLUICE_ADDRESS")) asking.address = address;
  Place place(app, asking);
  for (std::size_t i = 0; i + 1 < words.size(); ++i) place.Pass(words[i]);
  place.Print(words.empty() ? "" : words.back());
  return kDone;
}

void AddCompletionVerb(CLI::App& app, Invocation& invocation) {
  static const std::map<std::string, const char*> kScripts = {
      {"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}};
  const auto shell = std::make_shared<std::string>();
  CLI::App* const verb =
      AddPlainVerb(app, invocation,
                   {"completion",
                    "Prints the completion script of a shell",
                    {"source <(sluice completion bash)", "sluice completion zsh > ~/.zfunc/_sluice",
                     "sluice completion fish > ~/.config/fish/completions/sluice.fish"}},
                   [shell](Invocation&) {
                     std::cout << kScripts.at(*shell);
                     return FlushOutput() ? int{kDone} : FailOutput();
                   });
  AddChoice(*verb, invocation, "shell", *shell,
            std::map<std::string, std::string>{{"bash", "bash"}, {"zsh", "zsh"}, {"fish", "fish"}},
            "bash, zsh or fish")
      ->required();
}

}  // namespace sluice::cli
