import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Schemas } from '../../api/client';
import { count } from '../../format';
import { Checks } from '../../parts/checks';
import { Text, Time } from '../../parts/show';
import { secretWords } from './data';

/** What the other side said of itself. */
export function About({ about }: { about?: Schemas['ConnectionAbout'] }) {
  if (!about) return null;
  const facts: [string, ReactNode][] = [
    ['Organization', about.organization && <Text>{about.organization}</Text>],
    ['Signed in as', about.signedInAs && <Text>{about.signedInAs}</Text>],
    ['Customer tenants', about.tenants ? count(about.tenants) : undefined],
    ['Companies', about.companies ? count(about.companies) : undefined],
    ['Agreements', about.agreements ? `${count(about.agreements)}, ${count(about.activeAgreements ?? 0)} active` : undefined],
    ['Agreement types', about.agreementTypes ? count(about.agreementTypes) : undefined],
    ['Version', about.version && <Text>{about.version}</Text>],
    ['Time zone', about.timeZone && <Text>{about.timeZone}</Text>],
  ];
  const told = facts.filter(([, v]) => v);
  if (told.length === 0) return null;
  return (
    <dl className="facts">
      {told.map(([name, v]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{v}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What a test found: that it works or why not, what there is, and check by check. */
export function Found({ test, subject, onDone }: { test: Schemas['TestResult']; subject: string; onDone?: () => void }) {
  return (
    <div className="stack" role="status">
      <div className="between">
        <b style={{ color: test.ok ? 'var(--ok)' : 'var(--bad)' }}>{test.ok ? '✓ It works' : '✗ It does not work'}</b>
        {onDone && (
          <Button variant="subtle" onClick={onDone}>
            Close
          </Button>
        )}
      </div>
      <About about={test.about} />
      <Checks checks={test.checks} subject={subject} />
    </div>
  );
}

/** Secrets that are set: how they end, since when, by whom. They are never shown again. */
export function Secrets({ secrets }: { secrets: Schemas['SecretState'][] }) {
  const set = secrets.filter((s) => s.set);
  if (set.length === 0) return null;
  return (
    <>
      {set.map((s) => (
        <div key={s.name} className="small quiet">
          {secretWords[s.name]}
          {s.endsIn ? ` ends in …${s.endsIn}` : !s.savedAt && ' is set'}
          {s.savedAt && (
            <>
              , saved <Time at={s.savedAt} />
            </>
          )}
          {s.savedBy && (
            <>
              {' '}
              by <Text>{s.savedBy}</Text>
            </>
          )}
        </div>
      ))}
    </>
  );
}
