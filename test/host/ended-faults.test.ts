import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { inWorld } from './world.ts';

const REMEMBERED = Number(
  /^REMEMBERED = (\d+)$/m.exec(readFileSync(new URL('../../host/fault_files.py', import.meta.url), 'utf8'))?.[1],
);

it('a host forgets the oldest faults that have ended, and none that is not known to have', () =>
  inWorld('network-partition', async (world) => {
    expect(await world.inject()).toMatchObject({ state: 'APPLIED' });
    expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED' });
    // From old to new: a failed one, one that nobody can read, a tombstone, then those that have ended.
    const copies = `cd /run/holdfast
for number in $(seq 1 ${REMEMBERED + 5}); do
    cp -r ${world.faultId} old_$number.1
    touch lock.settling.old_$number.1
    case $number in
        1) sed -i 's/"REVERTED"/"FAILED"/' old_1.1/state.json ;;
        2) echo nothing >old_2.1/state.json ;;
        3) rm old_3.1/state.json ;;
    esac
    touch -d "-$((1000 - number)) minutes" old_$number.1
done
python3 -B -c "import sys; sys.path.insert(0, '/run/files/program')
from fault_files import FaultFiles
FaultFiles('new.1').forget_oldest()"`;
    expect(await world.exec(['bash', '-ec', copies])).toMatchObject({ code: 0 });
    const left = (await world.exec(['ls', '/run/holdfast'])).out.split('\n');
    const ended = Array.from({ length: REMEMBERED - 1 }, (_, at) => `old_${at + 7}.1`);
    const kept = ['old_1.1', 'old_2.1', ...ended].sort();
    expect(left.filter((name) => name.startsWith('old_')).sort()).toEqual(kept);
    expect(left.filter((name) => name.startsWith('lock.settling.old_')).sort()).toEqual(
      kept.map((name) => `lock.settling.${name}`).sort(),
    );
    // The fault itself is the latest of all.
    expect(left).toContain(world.faultId);
  }));
