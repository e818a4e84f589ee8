/** Completion scripts for bash, zsh and fish, from the places of the command line. They run nothing of ours. Pure. */
import type { Place, SHELLS, Word } from './words';

const quoted = (words: readonly Word[]): string => words.map(({ word }) => word).join(' ');

/** Shell code that finds the place: known commands in front of the cursor, options and their values left out. */
function findPlace(places: readonly Place[], words: string, start: string, end: string): string[] {
  const known = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return [
    `  local place='' next i`,
    `  for ((i = ${start}; i < ${end}; i++)); do`,
    `    next="\${place:+$place }\${${words}[i]}"`,
    `    case "$next" in`,
    `      ${known.join('|')}) place=$next ;;`,
    `    esac`,
    `  done`,
  ];
}

function bash(places: readonly Place[]): string {
  return [
    '# bash completion for ctx. Add to ~/.bashrc:  source <(ctx completion bash)',
    '_ctx() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} words=""',
    ...findPlace(places, 'COMP_WORDS', '1', 'COMP_CWORD'),
    '  case "$cur" in',
    '    -*)',
    '      case "$place" in',
    ...places.map(({ path, options }) => `        '${path}') words='${quoted(options)}' ;;`),
    '      esac ;;',
    '    *)',
    '      case "$place" in',
    ...places
      .filter(({ words }) => words.length > 0)
      .map(({ path, words }) => `        '${path}') words='${quoted(words)}' ;;`),
    '      esac ;;',
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    '}',
    'complete -o default -F _ctx ctx',
  ].join('\n');
}

const described = (words: readonly Word[]): string =>
  words.map(({ word, description }) => (description === '' ? `'${word}'` : `'${word}:${description}'`)).join(' ');

function zsh(places: readonly Place[]): string {
  return [
    '#compdef ctx',
    '# zsh completion for ctx. Add to ~/.zshrc:  source <(ctx completion zsh)',
    '_ctx() {',
    '  local -a found',
    ...findPlace(places, 'words', '2', 'CURRENT'),
    '  if [[ ${words[CURRENT]} == -* ]]; then',
    '    case "$place" in',
    ...places.map(({ path, options }) => `      '${path}') found=(${described(options)}) ;;`),
    '    esac',
    '  else',
    '    case "$place" in',
    ...places
      .filter(({ words }) => words.length > 0)
      .map(({ path, words }) => `      '${path}') found=(${described(words)}) ;;`),
    '    esac',
    '  fi',
    '  if ((${#found})); then _describe ctx found; else _files; fi',
    '}',
    'if (($+functions[compdef])); then compdef _ctx ctx; fi',
  ].join('\n');
}

function fish(places: readonly Place[]): string {
  const known = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  const line = (path: string, word: Word, form: string): string => {
    const about = word.description === '' ? '' : ` -d '${word.description}'`;
    return `complete -c ctx -n "__ctx_at '${path}'" ${form}${about}`;
  };
  return [
    '# fish completion for ctx. Add to ~/.config/fish/config.fish:  ctx completion fish | source',
    'function __ctx_at',
    "  set -l place ''",
    '  for word in (commandline -opc)[2..-1]',
    '    set -l next (string trim "$place $word")',
    `    if contains -- $next ${known.join(' ')}`,
    '      set place $next',
    '    end',
    '  end',
    '  test "$place" = "$argv[1]"',
    'end',
    ...places.flatMap(({ path, words, options }) => [
      ...words.map((word) => line(path, word, `-f -a '${word.word}'`)),
      ...options.map((word) => line(path, word, `-l '${word.word.replace(/^--/, '')}'`)),
    ]),
  ].join('\n');
}

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], (places: readonly Place[]) => string>> = { bash, zsh, fish };

export function completionScript(shell: (typeof SHELLS)[number], places: readonly Place[]): string {
  return `${SCRIPTS[shell](places)}\n`;
}
