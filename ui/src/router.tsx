import { createRootRoute, createRoute, createRouter, Link } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense } from 'react';
import { useMe } from './api/session';
import { Bones, FaultState, State } from './parts/fault';
import { parseSearch, stringifySearch } from './parts/search';
import { type Screen, screens } from './screens';
import { Shell } from './shell/shell';

function Titled({ screen, children }: { screen: Screen; children: ReactNode }) {
  const { may } = useMe();
  if (!may(screen.least)) {
    return (
      <State title={`You don't have access to ${screen.title.toLowerCase()}`} screen>
        Your role does not allow this. An administrator can give you another one.
      </State>
    );
  }
  return (
    <>
      <title>{`${screen.title} · Trueup`}</title>
      <Suspense fallback={<Bones />}>{children}</Suspense>
    </>
  );
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => (
    <State title="There is nothing at this address" screen action={<Link to="/">Go to the overview</Link>}>
      The address may be mistyped, or what it led to was removed.
    </State>
  ),
  errorComponent: ({ error, reset }) => <FaultState what="This screen" error={error} onRetry={reset} screen />,
});

const routes = screens.map((screen) => {
  const Component = lazy(screen.load);
  return createRoute({
    getParentRoute: () => root,
    path: screen.path,
    component: () => (
      <Titled screen={screen}>
        <Component />
      </Titled>
    ),
  });
});

export const router = createRouter({
  routeTree: root.addChildren(routes),
  parseSearch,
  stringifySearch,
  defaultPreload: false,
  defaultErrorComponent: ({ error, reset }) => <FaultState what="This screen" error={error} onRetry={reset} screen />,
});
