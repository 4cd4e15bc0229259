import react from '@vitejs/plugin-react';
import { build, defineConfig, type Plugin } from 'vite';

/** Puts the script that begins the handshake into the page of the pod, whole: it waits for nothing. */
function boot(): Plugin {
  return {
    name: 'boot',
    async transformIndexHtml(html) {
      if (!html.includes('<!--boot-->')) return undefined;
      const input = new URL('src/pod/boot.ts', import.meta.url).pathname;
      const made = await build({
        configFile: false,
        logLevel: 'warn',
        build: { write: false, target: 'es2023', rolldownOptions: { input, output: { format: 'iife' } }, modulePreload: false },
      });
      const [file] = (Array.isArray(made) ? made : [made]).flatMap((m) => ('output' in m ? m.output : []));
      if (file?.type !== 'chunk') throw new Error('the boot script was not built');
      return html.replace('<!--boot-->', () => `<script>${file.code.trim()}</script>`); // before the styles, which would hold it up
    },
  };
}

// The pod is opened dozens of times a day beside other people's screens. It is written for
// React and runs on Preact, which is 60 kB less of a page that may have 80 in all; taken
// out of the list of plugins, it runs on React.
function light(): Plugin {
  const of: Record<string, string> = { react: 'preact/compat', 'react-dom/client': 'preact/compat/client', 'react/jsx-runtime': 'preact/jsx-runtime', 'react/jsx-dev-runtime': 'preact/jsx-dev-runtime' };
  return {
    name: 'light',
    enforce: 'pre',
    async resolveId(source, importer) {
      const to = of[source];
      return to && importer?.includes('/src/pod/') ? this.resolve(to, importer, { skipSelf: true }) : undefined;
    },
  };
}

// The server puts a fresh nonce in the place of the word with every answer.
export default defineConfig({
  plugins: [light(), react(), boot()],
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
    rolldownOptions: { input: ['index.html', 'embed.html'] },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
});
