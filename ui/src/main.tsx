import './mantine';
import './theme.css';
import './parts/parts.css';
import './shell/shell.css';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from './api/client';
import { sessionQuery } from './api/session';
import { router } from './router';
import { Door } from './shell/door';
import { theme, variables } from './theme';

// After an upgrade a page that was open asks for pieces that are gone: it loads anew, once.
addEventListener('vite:preloadError', (event) => {
  const key = 'trueup-reloaded';
  if (sessionStorage.getItem(key) === location.href) return;
  sessionStorage.setItem(key, location.href);
  event.preventDefault();
  location.reload();
});

const queries: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (times, error) => times < 1 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
  },
  queryCache: new QueryCache({
    onError: (error, query) => {
      const over = error instanceof ApiError && (error.status === 401 || error.code === 'sign_in_unfinished' || error.code === 'no_workspace');
      if (over && query.queryKey[0] !== 'session') void queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  }),
});

const nonce = () => document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';
setNonce(nonce()); // for what holds the page still behind a drawer

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={variables}
        defaultColorScheme="auto"
        colorSchemeManager={localStorageColorSchemeManager({ key: 'trueup-color-scheme' })}
        getStyleNonce={nonce}
      >
        <QueryClientProvider client={queries}>
          <Door>
            <RouterProvider router={router} />
          </Door>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
