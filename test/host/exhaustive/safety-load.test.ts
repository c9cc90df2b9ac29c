import { safetyInNamespaces } from '../in-namespaces.ts';

safetyInNamespaces('rest', ({ kind }) => !kind.startsWith('network-') && !kind.startsWith('process-'));
