import { serviceFaults } from './service-faults.ts';

serviceFaults('change');
