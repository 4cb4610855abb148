// davitctl completion: teaches bash what can follow.

import type { Command } from './command.ts';
import { define, type Invocation } from './define.ts';
import { UsageError } from './explain.ts';
import type { Options } from './option.ts';
import { ASK } from './find.ts';

export function completion(commands: readonly Command[]): Command {
  return define({
    name: 'completion',
    summary: 'print what teaches bash to complete davitctl',
    synopsis: '[OPTIONS] bash',
    options: {},
    examples: [
      ['completion bash > /etc/bash_completion.d/davitctl', 'for every user, from the next login on'],
      ['completion bash', 'for this shell: source <(davitctl completion bash)'],
    ],
    args: { min: 1, max: 2 },
    async run(invocation) {
      const { io, args } = invocation;
      if (args[0] === 'names') {
        (await namesOf(invocation)).forEach(io.out);
        return 0;
      }
      if (args[0] !== 'bash' || args.length > 1) throw new UsageError('there is completion for bash only');
      io.out(script(commands));
      return 0;
    },
  });
}

/** What the script asks for while someone types: `davitctl completion names pods`. */
async function namesOf({ cri, args }: Invocation<Options>): Promise<string[]> {
  const [, kind = ''] = args;
  switch (kind) {
    case 'pods':
      return (await cri.listPodSandbox({}, ASK)).items.map(({ metadata }) => metadata?.name ?? '');
    case 'containers':
      return (await cri.listContainers({}, ASK)).containers.map(({ metadata }) => metadata?.name ?? '');
    case 'images':
      return (await cri.listImages({}, ASK)).images.flatMap(({ repoTags }) => repoTags);
    default:
      throw new UsageError('names of pods, containers or images');
  }
}

/** The second word of a name is not completed. */
function script(all: readonly Command[]): string {
  const commands = all.filter(({ name }) => !name.includes(' '));
  const names = commands.map(({ name }) => name).join(' ');
  const flags = commands.map(({ name, flags: own }) => `    ${name}) flags="${own.join(' ')}" ;;`);
  const kinds = commands
    .filter(({ completes }) => completes !== 'nothing')
    .map(({ name, completes }) => `    ${name}) kind=${completes} ;;`);
  return `# bash completion for davitctl
_davitctl() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command= flags= kind= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*|*/*) ;; *) command=$word; break ;; esac
  done
  case $command in
${flags.join('\n')}
  esac
  case $command in
${kinds.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "\${flags:---socket --json --help}" -- "$cur"))
  elif [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "${names} help" -- "$cur"))
  elif [[ $kind == files ]]; then
    COMPREPLY=($(compgen -f -- "$cur"))
  elif [[ -n $kind ]]; then
    COMPREPLY=($(compgen -W "$(davitctl completion names $kind 2>/dev/null)" -- "$cur"))
    type __ltrim_colon_completions &>/dev/null && __ltrim_colon_completions "$cur"
  fi
}
complete -o default -F _davitctl davitctl`;
}
