// First of all: an invite's secret leaves the address before anything else looks at it.
import './app/invite';
import './ui/tokens.css';
import './ui/base.css';
import { mount } from 'svelte';
import App from './app/App.svelte';
import { session } from './app/session.svelte';
import { theme } from './app/theme.svelte';
import { updates } from './app/updates.svelte';
import { serverInfo } from './duty/access';
import { speech } from './i18n/index.svelte';

theme.start();
await Promise.all([speech.start(), session.start()]);
mount(App, { target: document.getElementById('app')! });
updates.start();
// Its clock, and whether this version is still served; whatever needs more asks again.
void serverInfo().catch(() => undefined);
