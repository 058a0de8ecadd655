import * as Args from "../args.ts";
import { SlipwayCommand } from "../base.ts";

/** Each shell hands the words over and offers what comes back, one candidate a line. */
const SCRIPTS = {
  bash: `_slipway() {
  local IFS=$'\\n'
  COMPREPLY=($(slipway completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  [ \${#COMPREPLY[@]} -eq 0 ] && compopt -o default
}
complete -F _slipway slipway`,
  zsh: `#compdef slipway
_slipway() {
  local -a found
  found=(\${(f)"$(slipway completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -- $found; else _files; fi
}
compdef _slipway slipway`,
  fish: `function __slipway
  set -l words (commandline -opc) (commandline -ct)
  slipway completion words -- $words[2..] 2>/dev/null
end
complete -c slipway -a '(__slipway)'`,
} as const;

export class Completion extends SlipwayCommand {
  static override summary = "Print what makes a shell complete commands, flags and services";
  static override examples = [
    "source <(slipway completion bash)",
    "slipway completion fish > ~/.config/fish/completions/slipway.fish",
  ];
  static override args = {
    shell: Args.string({
      required: true,
      options: Object.keys(SCRIPTS),
      description: "bash, zsh or fish",
    }),
  };

  override async run(): Promise<void> {
    const { args } = await this.parse(Completion);
    this.print(SCRIPTS[args.shell as keyof typeof SCRIPTS]);
  }
}
