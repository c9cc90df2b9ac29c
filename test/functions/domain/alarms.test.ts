import { describe, expect, it } from 'vitest';
import { alarmsThatStop } from '../../../functions/domain/alarms.ts';
import type { Experiment } from '../../../functions/domain/experiment.ts';

const alarms = (['INFO', 'WARNING', 'CRITICAL'] as const).map((severity) => ({ name: `is-${severity}`, severity }));
const stopping = (
  maxAlertSeverity: Experiment['safetyThreshold']['maxAlertSeverity'],
  automaticRollbackOnAlert = true,
) => alarmsThatStop({ alarms }, { maxAlertSeverity, automaticRollbackOnAlert });

describe('the alarms that stop an experiment', () => {
  it('are those above what it tolerates', () => {
    expect(stopping('NONE')).toEqual(['is-INFO', 'is-WARNING', 'is-CRITICAL']);
    expect(stopping('WARNING')).toEqual(['is-CRITICAL']);
    expect(stopping('CRITICAL')).toEqual([]);
  });

  it('are none where it does not roll back on alarms', () => {
    expect(stopping('NONE', false)).toEqual([]);
  });
});
