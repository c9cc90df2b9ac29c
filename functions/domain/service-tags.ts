/**
 * Tags of everything made in FIS. By these the way back finds what was made, even when the answer that named it was lost.
 * The stack's name is one of them, and in every name of ours: two deployments of one account and Region must not end each
 * other's experiments.
 */
export const STACK_TAG = 'holdfast-stack';
export const EXPERIMENT_TAG = 'holdfast-experiment';
export const FAULT_TAG = 'holdfast-fault';
