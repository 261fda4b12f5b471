// The supervisor's part: the night on one screen, and looking back on it.
import { shot } from '../harness/browser.mjs';
import { english as say } from './steps.mjs';

const board = (night) => night.page('Supervisor 1');

export async function seesItCalled(night, reference) {
  const page = board(night);
  const card = page.getByRole('article', { name: reference });
  await card.getByText('Advocate 1', { exact: true }).waitFor();
  await card.getByText('Advocate 2', { exact: true }).waitFor({ timeout: 30_000 });
  await shot(page, 'story-board-paging-desktop-night');
}

export async function seesWhoGoes(night, reference) {
  const page = board(night);
  const card = page.getByRole('article', { name: reference });
  await card.getByText(/there at .*, in 4[345] min/).waitFor();
  await card.getByRole('link', { name: reference }).click();
  await page.getByRole('heading', { name: say('board.callout', { reference }) }).waitFor();
  await page.getByText(/Delivered at|Answered at/).first().waitFor();
  await shot(page, 'story-board-callout-desktop-night');
  await page.goto('/#/board');
}

export async function reviews(night, callout) {
  const page = board(night);
  await page.goto(`/#/board/${callout}`);
  await page.getByRole('button', { name: say('board.review'), exact: true }).click();
  await page.getByText(say('terms.welfare_well'), { exact: true }).click();
  await page.getByRole('button', { name: say('board.review_done') }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.getByText(say('callout.state_reviewed')).first().waitFor();
  await shot(page, 'story-board-reviewed-desktop-night');
}
