/** The check of the two examples of an unreachable broker that depends on which requests meet the election of the group's coordinator. */
export const REBALANCE = {
  mayFail: 'the consumer group does not rebalance',
  mayShow: ['consumer group rebalance'],
};
