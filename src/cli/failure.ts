// How a command ends that failed: its lines for the user and its exit code.
import { type ConfigError, errorMessage, problemLines } from '../core/errors.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** How a command ends that threw: lines for stderr, not yet printable, and the exit code. */
interface Failure {
  readonly exitCode: ExitCode;
  readonly lines: readonly string[];
}

/** Describes a thrown error to the user; errors are distinguished by their `code`. */
export function describeFailure(error: unknown): Failure {
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  if (code === 'CONFIG_INVALID') return { exitCode: exitCodes.config, lines: configLines(error as ConfigError) };
  const exitCode = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : code.startsWith('STORE_') ? exitCodes.unavailable : undefined;
  if (exitCode !== undefined) return { exitCode, lines: [`monitor_service: ${errorMessage(error)}`] };
  // Its message names the path or address and the operation: a missing file or a full disk is not a bug.
  if (isSystemError(error)) return { exitCode: exitCodes.internal, lines: [`monitor_service: ${errorMessage(error)}`] };
  return { exitCode: exitCodes.internal, lines: [`monitor_service: internal error: ${errorMessage(error)}${placeOf(error)}`] };
}

/**
 * Lines for problems; each names file and line, as compilers do, and has no prefix: that would break editors that jump there.
 */
function configLines({ file, problems }: ConfigError): string[] {
  const lines = problemLines(file, problems);
  // If the file cannot be read, one line says everything.
  const [first, ...others] = problems;
  if (first?.section === '' && first.line === 0 && others.length === 0) return lines.slice(0, 1);
  return [...lines.slice(0, -1), ...lines.slice(-1).map((line) => `monitor_service: ${line}`)];
}

const BY_CODE: Readonly<Record<string, ExitCode>> = {
  STORE_DENIED: exitCodes.permission,
  STATE_HELD: exitCodes.conflict,
  SOCKET_TAKEN: exitCodes.conflict,
  SOCKET_UNUSABLE: exitCodes.config,
  CONTROL_NOT_RUNNING: exitCodes.unavailable,
  CONTROL_ELSEWHERE: exitCodes.conflict,
  CONTROL_SOCKET_GONE: exitCodes.unavailable,
  CONTROL_NO_ANSWER: exitCodes.unavailable,
  CONTROL_BUSY: exitCodes.conflict,
  CONTROL_BAD_ANSWER: exitCodes.protocol,
  CONTROL_FORBIDDEN: exitCodes.permission,
  EACCES: exitCodes.permission,
  EPERM: exitCodes.permission,
};

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** The innermost frame of its stack, for a bug report. */
function placeOf(error: unknown): string {
  const frame = error instanceof Error ? /\n\s+at (.+)/.exec(error.stack ?? '')?.[1] : undefined;
  return frame === undefined ? '' : ` (at ${frame.trim()})`;
}
