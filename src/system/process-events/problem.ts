/**
 * Why the kernel does not report process events, and what to do about it, in one line. `call` is what it refused, `code` the
 * name of the errno.
 */
export function connectorProblem(call: ConnectorCall, code: string): string {
  if (call === 'load') return `process events are not available: ${code}`;
  if (code === 'EAFNOSUPPORT') return `process events need a netlink socket, and the unit allows none: ${DROP_IN}`;
  if (code === 'EPERM' || code === 'EACCES') return `process events need root with CAP_NET_ADMIN: ${DROP_IN}`;
  if (code === 'EPROTONOSUPPORT') return `this kernel has no proc connector: ${KERNEL}`;
  if (code === 'ECONNREFUSED') return `the kernel reports process events only outside of containers: ${OUTSIDE}`;
  if (call === 'acknowledge' && code === 'ETIMEDOUT')
    return `the kernel does not answer: in a container it never reports process events (${OUTSIDE}); elsewhere ${KERNEL}`;
  return `process events are not available: ${call} failed with ${code}`;
}

/** `load`: the C library; `acknowledge`: the kernel's answer to our request. */
type ConnectorCall = 'load' | 'socket' | 'bind' | 'sendto' | 'acknowledge';

const DROP_IN =
  'run "systemctl edit monitor_service" and add RestrictAddressFamilies=AF_NETLINK and CapabilityBoundingSet=CAP_NET_ADMIN below [Service]';
const KERNEL = 'it must be built with CONFIG_CONNECTOR=y and CONFIG_PROC_EVENTS=y';
const OUTSIDE = 'run the daemon on the host, in its pid, user and network namespaces';
