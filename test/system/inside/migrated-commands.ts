import { testMigratedCommands } from '../../helpers/migrated-commands.ts';

// Runs under a real systemd, where it is PID 1: see transient.test.ts.

testMigratedCommands('through systemd');
