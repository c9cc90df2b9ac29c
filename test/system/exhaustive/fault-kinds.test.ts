import { faultKinds } from '../fault-kinds.ts';

faultKinds('rest');
