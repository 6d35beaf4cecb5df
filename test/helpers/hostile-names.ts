/**
 * Process names as nobody would want them, none of which may ever be run or name a program that exists: each would make the file
 * `bait` if any part of it were taken for code. All fit VARCHAR(255) and differ.
 */
export function hostileNames(bait: string): string[] {
  const touch = `touch ${bait}`;
  const code = [
    `$(${touch})`,
    `\`${touch}\``,
    `; ${touch}`,
    `x; ${touch} #`,
    `& ${touch} &`,
    `| ${touch}`,
    `|| ${touch}`,
    `&& ${touch}`,
    `\n${touch}\n`,
    `x\r\n${touch}`,
    `'; ${touch}; '`,
    `"; ${touch}; "`,
    `'"$(${touch})"'`,
    `\\'; ${touch}; \\'`,
    `"\${IFS}${touch}`,
    `\${x:-$(${touch})}`,
    `{${touch},}`,
    `> ${bait}`,
    `x > ${bait}`,
    `<(${touch})`,
    `!!; ${touch}`,
    `%s; ${touch}`,
    `%s%s%s%n`,
    `$MONITOR_PROCESS_NAME; ${touch}`,
    '$MONITOR_PROCESS_NAME',
    '$$',
    `() { :;}; ${touch}`,
  ];
  const paths = ['../../../../etc/no-such-thing', '/no/such/program', '.', '..', '*', '?', '[a-z]', '~', '~root'];
  const options = ['-', '--', '--help', '-rf', '--no-preserve-root', '-c', '-Hroot@no-such-host'];
  const sql = [`' OR '1'='1`, `"; DROP TABLE PROCESE; --`, `x' ; DELETE FROM STATUS_PROCESS ; -- `, `\\`, `'`, `"`];
  const terminal = [
    '\u001b[2J\u001b[Hcleared',
    '\u001b]0;title\u0007',
    '\u009b31mred',
    'a\tb\u000bc\fd',
    'back\u0008space',
    'delete\u007f',
    'next\u0085line',
    'line\u2028and\u2029paragraph',
    'right\u202eto left',
    'isolate\u2066d\u2069',
    'harm\u200bless',
    'harm\u2060less',
    'harm\u00adless',
    'harm\u180eless',
    'harmless\u3164',
    'harmless\uffa0\u115f',
    'harmless\ufe0f',
    '\ufff9harm\ufffaless\ufffb',
    'harmless\u{e0041}\u{e007f}\u{e0100}',
    '2000-01-01 00:00:00  [INFO] - forged\n2000-01-01 00:00:00  [INFO] - forged',
  ];
  const words = [
    '__proto__',
    'constructor',
    'toString',
    'null',
    'a b  c',
    'ünïcödé ☂ 名前',
    '👩‍👩‍👧',
    'e\u0301',
    '<b>bold</b>',
    'x'.repeat(255),
    '名'.repeat(255),
  ];
  return [...code, ...paths, ...options, ...sql, ...terminal, ...words];
}
