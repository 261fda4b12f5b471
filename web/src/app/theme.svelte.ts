/** Night is dark and day is light; `auto` goes by the clock, and by the device if it asks for dark at all hours. */
export type Theme = 'auto' | 'night' | 'day';

const KEPT = 'firstlight.theme';
const DAWN = 7;
const DUSK = 19;

class ThemeChoice {
  choice = $state<Theme>('auto');

  start(): void {
    const kept = localStorage.getItem(KEPT);
    if (kept === 'night' || kept === 'day') this.choice = kept;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', () => this.apply());
    setInterval(() => this.apply(), 60_000);
    this.apply();
  }

  choose(choice: Theme): void {
    this.choice = choice;
    localStorage.setItem(KEPT, choice);
    this.apply();
  }

  apply(): void {
    const hour = new Date().getHours();
    const dark = matchMedia('(prefers-color-scheme: dark)').matches || hour < DAWN || hour >= DUSK;
    const theme = this.choice === 'auto' ? (dark ? 'night' : 'day') : this.choice;
    document.documentElement.dataset['theme'] = theme;
  }
}

export const theme = new ThemeChoice();
