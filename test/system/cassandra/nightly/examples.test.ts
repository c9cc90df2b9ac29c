import { ORDERS_RING } from '../../../../lab/fleet/cassandra/hosts.ts';
import { describeEnds, expectNothingNoticed } from '../../engine-examples.ts';

const UNNOTICED = { outcome: 'CONFIRMED', losesNothing: true, number: expectNothingNoticed };

/** What the exhaustive tests see of a killed node and of a paused one, with another node and another client. */
describeEnds(ORDERS_RING.hosts, { 'cassandra-node-paused.json': UNNOTICED, 'cassandra-seed-killed.json': UNNOTICED });
