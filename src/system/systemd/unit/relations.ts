// How a unit is related to others, read from its properties.

import { type Properties, type PropertyNames, textOf, textsOf } from '../properties.ts';
import type { UnitRelations } from '../service-manager.ts';

/** What systemd may do to the whole machine because of a unit. Source: systemd.unit(5). */
const ACTIONS = ['SuccessAction', 'FailureAction', 'StartLimitAction', 'JobTimeoutAction'] as const;
/** How units that are started at its end are started: `isolate` stops all others. */
const JOB_MODES = ['OnSuccessJobMode', 'OnFailureJobMode'] as const;

/** The properties that `unitRelations` reads. An older systemd does not have all of them. */
export const RELATION_PROPERTIES = {
  Unit: [
    'UnitFileState',
    'Requires',
    'BindsTo',
    'Upholds',
    'Wants',
    'RequiredBy',
    'WantedBy',
    'TriggeredBy',
    'RequisiteOf',
    'BoundBy',
    'ConsistsOf',
    'PropagatesStopTo',
    'Conflicts',
    'ConflictedBy',
    'OnSuccess',
    'OnFailure',
    ...ACTIONS,
    ...JOB_MODES,
  ],
  Service: [],
} as const satisfies PropertyNames;

/** Reads how a unit is related to others; undefined if the properties do not say: every systemd has Requires and Conflicts. */
export function unitRelations(values: Properties): UnitRelations | undefined {
  if (!values.has('Requires') || !values.has('Conflicts')) return undefined;
  const texts = (name: string): string[] => textsOf(values, name);
  return {
    unitFileState: textOf(values, 'UnitFileState'),
    requires: texts('Requires'),
    bindsTo: texts('BindsTo'),
    upholds: texts('Upholds'),
    wants: texts('Wants'),
    requiredBy: texts('RequiredBy'),
    wantedBy: texts('WantedBy'),
    triggeredBy: texts('TriggeredBy'),
    requisiteOf: texts('RequisiteOf'),
    boundBy: texts('BoundBy'),
    consistsOf: texts('ConsistsOf'),
    stopsToo: texts('PropagatesStopTo'),
    conflicts: [...new Set([...texts('Conflicts'), ...texts('ConflictedBy')])],
    startedAtEnd: [...texts('OnSuccess'), ...texts('OnFailure')],
    actions: [
      ...ACTIONS.filter((name) => !['', 'none'].includes(textOf(values, name))),
      ...JOB_MODES.filter((name) => textOf(values, name) === 'isolate'),
    ].map((name) => `${name}=${textOf(values, name)}`),
  };
}
