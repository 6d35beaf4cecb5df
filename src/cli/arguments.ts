// Reads the first words of a command line, with the spellings of the bash service.
/** Arguments for commander, or the unknown word in place of a command. */
type Arguments =
  | { readonly kind: 'arguments'; readonly argv: readonly string[] }
  | { readonly kind: 'unknown_command'; readonly name: string };

/**
 * `argv` (without node and script) with the bash service's spellings `--status` and `--restart NAME` turned into commands
 * (`--verbose` beside them has no effect), and the first word checked against `commands`. Source: the bash service.
 */
export function readArguments(argv: readonly string[], commands: readonly string[]): Arguments {
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    const before = argv.slice(0, i).filter((other) => other !== '--verbose');
    const after = argv.slice(i + 1);
    if (word === '--') break;
    if (word === '--config') i++;
    else if (word === '--status') return asCommand(before, 'status', after);
    else if (word === '--restart') return asCommand(before, 'restart', after.slice(1), after[0]);
    else if (word.startsWith('--restart=')) return asCommand(before, 'restart', after, word.slice('--restart='.length));
    else if (!word.startsWith('-')) {
      const named =
        word === 'help' ? after.find((other, at) => !other.startsWith('-') && after[at - 1] !== '--config') : undefined;
      const unknown = [word, named].find((name) => name !== undefined && !commands.includes(name));
      if (unknown !== undefined) return { kind: 'unknown_command', name: unknown };
      return { kind: 'arguments', argv: named === 'help' ? argv.slice(0, i + 1) : argv };
    }
  }
  return { kind: 'arguments', argv };
}

function asCommand(before: readonly string[], command: string, after: readonly string[], name?: string): Arguments {
  const options = after.filter((other) => other !== '--verbose');
  // After `--`, a name that starts with `-` is not taken for an option.
  return { kind: 'arguments', argv: [...before, command, ...options, ...(name === undefined ? [] : ['--', name])] };
}
