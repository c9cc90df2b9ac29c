import { startSystemLab } from '../../set-up.ts';

export default function setUp(): Promise<() => Promise<void>> {
  return startSystemLab(['kafka-disposable']);
}
