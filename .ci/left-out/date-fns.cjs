// Replaces date-fns in the bundle (250 KB): pino-roll uses it to rotate by days and hours and to put dates into names. We
// rotate by size.
for (const name of ['addDays', 'addHours', 'format', 'isValid', 'parse']) {
  exports[name] = () => {
    throw new Error(`${name} of date-fns is not in the bundle: log files rotate by size`);
  };
}
