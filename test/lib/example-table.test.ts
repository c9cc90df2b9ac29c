import { expect, test } from 'vitest';
import { withExampleTable } from '../../lib/example-table.ts';

const PAGE = 'before <!-- Made by npm run generate. -->old<!-- End of what is made. --> after';

test('the table shows every parameter of a fault in words, whatever its shape', () => {
  const parameters = {
    targetNodes: ['a-1', { role: 'leader', of: 'orders-0' }, { role: 'controller' }],
    latencyMs: 100,
    flap: { onSeconds: 8, offSeconds: 12 },
  };
  const page = withExampleTable(PAGE, { 'x.json': { action: 'NETWORK_LATENCY', parameters, durationSeconds: 60 } });
  const row =
    '| `x.json` | NETWORK_LATENCY: `targetNodes` a-1, (leader of orders-0), (controller), `latencyMs` 100, `flap` (`onSeconds` 8, `offSeconds` 12) | 60 |';
  expect(page).toContain(row);
  expect(page).toMatch(/^before .* after$/s);
  expect(page).not.toContain('old');
});
