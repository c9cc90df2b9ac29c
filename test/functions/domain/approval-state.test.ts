import { describe, expect, it } from 'vitest';
import { approvalDocument, reasonOfEnd } from '../../../functions/domain/approval-state.ts';
import { stateOf, statusDocument } from '../../../functions/domain/status.ts';
import { leaseOf } from '../tables/lease-fixture.ts';
import { APPROVAL, APPROVER, CALLER, EPOCH_MS, iso, logOf } from './fixtures.ts';

const pending = logOf('exp', ['APPROVAL_REQUESTED']);
const at = (seconds: number) => EPOCH_MS + seconds * 1000;
const released = leaseOf({ state: 'RELEASED' });

describe('what waits for an approval', () => {
  it('is PENDING_APPROVAL, and says what is to be approved, until when, and who may not', () => {
    const status = statusDocument('exp', pending, undefined, at(3599));
    expect(status).toMatchObject({ status: 'PENDING_APPROVAL', impactedNodes: [], remainingSeconds: 0 });
    expect(status.approval).toEqual({
      ...{ state: 'PENDING', hash: APPROVAL.hash, expiresAt: iso(3600) },
      ...{ requestedBy: CALLER.arn, mayNotApprove: APPROVAL.mayNotApprove },
    });
  });

  it('is over at the moment in which it expires, with its reason, though nobody was there to write it', () => {
    expect(stateOf(pending, undefined, at(3600))).toMatchObject({ status: 'REFUSED', approval: { state: 'EXPIRED' } });
    const document = approvalDocument(pending, undefined, at(3600));
    expect(document && reasonOfEnd(document)).toContain(`nobody approved it before ${iso(3600)}`);
  });

  it('is over when it is aborted, by its lease or by its log alone', () => {
    for (const state of [
      stateOf(pending, released, at(10)),
      stateOf(logOf('exp', ['APPROVAL_REQUESTED'], ['ABORT_REQUESTED']), undefined, at(10)),
      stateOf(logOf('exp', ['ABORT_REQUESTED'], ['APPROVAL_REQUESTED']), released, at(10)),
    ])
      expect(state).toMatchObject({ status: 'ABORTED', approval: { state: 'ABORTED' } });
  });

  it('that was over is not aborted any more', () => {
    const late = logOf('exp', ['APPROVAL_REQUESTED'], ['ABORT_REQUESTED', {}, 3600]);
    expect(stateOf(late, released, at(3700)).status).toBe('REFUSED');
  });

  it('is an experiment like any other once it was admitted, however late it is then', () => {
    const admitted = logOf('exp', ['APPROVAL_REQUESTED'], ['APPROVED'], ['ADMITTED']);
    expect(stateOf(admitted, undefined, at(9999))).toMatchObject({
      ...{ status: 'ACCEPTED', experiment: {} },
      approval: { state: 'ADMITTED', approvedBy: APPROVER.arn },
    });
    expect(stateOf(admitted, released, at(10)).status).toBe('ROLLING_BACK');
  });

  it('is not taken for an experiment by what rolls back', () =>
    expect(stateOf(pending)).not.toHaveProperty('experiment'));

  it('is nothing of what needed none', () =>
    expect(stateOf(logOf('exp', ['ADMITTED']))).not.toHaveProperty('approval'));
});
