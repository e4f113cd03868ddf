/** `completion`: the scripts. Each hands the words so far to `__complete`, one candidate a line. */
import type { Io } from "../io.ts";

/** Bash splits words at `=`; `__complete` joins them again. */
const bash = `# bash completion for trustplane
_trustplane() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
  case \${COMPREPLY[0]-} in *=|*,|*/) compopt -o nospace ;; esac
}
complete -o default -F _trustplane trustplane
`;

const zsh = `#compdef trustplane
_trustplane() {
  local -a candidates
  candidates=("\${(@f)$(\${words[1]} __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=(\${candidates:#})
  if (( \${#candidates} )); then compadd -Q -- "\${candidates[@]}"; else _files; fi
}
if [ "\${funcstack[1]-}" = _trustplane ]; then _trustplane "$@"; else compdef _trustplane trustplane; fi
`;

const fish = `# fish completion for trustplane
function __trustplane_complete
  set -l words (commandline -opc) (commandline -ct)
  $words[1] __complete -- $words[2..-1] 2>/dev/null
end
complete -c trustplane -a '(__trustplane_complete)'
`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

/** Prints the script of a shell. */
export async function completion(io: Io, shell: string): Promise<number> {
  io.stdout.write(scripts[shell] ?? "");
  return 0;
}
