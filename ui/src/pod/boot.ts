// Runs inside the page, before anything else is loaded: the handshake and the first
// questions need no line of what draws.
import { Host } from '../host/host';
import { Pod } from './pod';

declare global {
  interface Window {
    pod: Pod;
  }
}

const asked = new URLSearchParams(location.search);
// The host's page is light, whatever the system is; only the host may say otherwise.
if (asked.get('theme') === 'dark') document.documentElement.dataset.theme = 'dark';
const origin = document.querySelector<HTMLMetaElement>('meta[name=manage-origin]')?.content ?? '';
window.pod = new Pod(location.pathname.split('/').pop() ?? '', new Host(origin));
window.pod.start(asked.get('screen') ?? '', asked.get('id') ?? '');
addEventListener('pagehide', () => void window.pod.end());
