import './pod.css';
import { createRoot } from 'react-dom/client';
import { App } from './app';

// After an upgrade a page that was open asks for pieces that are gone: it loads anew.
addEventListener('vite:preloadError', (event) => {
  event.preventDefault();
  location.reload();
});

const root = document.getElementById('root');
if (root) createRoot(root).render(<App pod={window.pod} />);
