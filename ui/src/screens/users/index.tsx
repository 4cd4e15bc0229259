import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { count } from '../../format';
import { oneOf, useFilters } from '../../parts/search';
import { Tabs } from '../../parts/tabs';
import { hasScreen } from '../../screens';
import { invitationsQuery } from './data';
import { Invitations } from './invitations';
import { People } from './people';
import { Security } from './security';
import { Tokens } from './tokens';

const tabs = ['people', 'invitations', 'tokens', 'security'] as const;
type Tab = (typeof tabs)[number];

/** Who may come in and do what: users, invitations, programs, and how people sign in. */
export default function UsersScreen() {
  const [search, set] = useFilters();
  const open = useQuery(invitationsQuery).data?.items.length;
  const at = oneOf(search.tab, tabs) ?? 'people';
  const panels: Record<Tab, () => ReactNode> = {
    people: () => <People />,
    invitations: () => <Invitations />,
    tokens: () => <Tokens />,
    security: () => <Security />,
  };
  return (
    <>
      <header className="page-head">
        <h1>Users and security</h1>
        {hasScreen('/audit') && <Link to="/audit">Audit log</Link>}
      </header>
      <Tabs
        label="Of users and security"
        names={{ people: 'Users', invitations: open ? `Invitations ${count(open)}` : 'Invitations', tokens: 'API tokens', security: 'Signing in' }}
        at={at}
        onGo={(tab) => set({ tab: tab === 'people' ? undefined : tab, q: undefined, role: undefined, user: undefined })}
      >
        {panels[at]()}
      </Tabs>
    </>
  );
}
