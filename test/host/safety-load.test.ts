import { safetyInNamespaces } from './in-namespaces.ts';

safetyInNamespaces('change', ({ kind }) => !kind.startsWith('network-') && !kind.startsWith('process-'));
