import { serviceFaults } from '../service-faults.ts';

serviceFaults('rest');
