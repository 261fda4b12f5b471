// What a browser downloads. The build holds the same figures against the same budgets.
import { budgets } from '../../scripts/budgets.mjs';
import { figure } from './figures.mjs';

export function measureSizes() {
  for (const { what, bytes, budget } of budgets()) figure(`${what}, brotli`, bytes / 1000, 'kB', budget && budget / 1000);
}
