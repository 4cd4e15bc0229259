import './setup.css';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ComponentType, lazy, Suspense, useEffect } from 'react';
import type { Schemas } from '../../api/client';
import { Bones, Loaded, Section, State } from '../../parts/fault';
import { oneOf, useFilters } from '../../parts/search';
import { Returned } from '../connections/returned';
import { setupQuery, stateOf, type StepName, type StepProps } from './data';

interface Step {
  name: StepName;
  title: string;
  /** What must be done before there is anything to do. */
  needs: StepName[];
  Step: ComponentType<StepProps>;
}

const steps: Step[] = [
  { name: 'connectwise', title: 'ConnectWise', needs: [], Step: lazy(() => import('./connectwise')) },
  { name: 'notifications', title: 'Notifications', needs: [], Step: lazy(() => import('./notifications')) },
  { name: 'profiles', title: 'Billing profiles', needs: ['connectwise'], Step: lazy(() => import('./profiles')) },
  { name: 'microsoft', title: 'Microsoft', needs: [], Step: lazy(() => import('./microsoft')) },
  { name: 'customers', title: 'Customers', needs: ['connectwise', 'microsoft'], Step: lazy(() => import('./customers')) },
  { name: 'links', title: 'License links', needs: ['profiles', 'customers'], Step: lazy(() => import('./links')) },
  { name: 'firstSync', title: 'First sync', needs: ['links'], Step: lazy(() => import('./firstsync')) },
];
const names = steps.map((s) => s.name);
const titleOf = (name: StepName) => steps.find((s) => s.name === name)?.title ?? name;

/** From nothing to the first synced customer, in seven steps that can be left and come back to. */
export default function SetupScreen() {
  const [search, set] = useFilters();
  const setup = useQuery(setupQuery);
  // The step stays while it is looked at, also when it is done: it may have more to ask.
  const first = search.consent || search.step || !setup.data ? undefined : (setup.data.steps.find((s) => s.state === 'todo')?.step ?? 'firstSync');
  useEffect(() => {
    if (first) set({ step: first });
  }, [first, set]);
  if (search.consent) {
    return <Returned search={search} onGoOn={() => set({ consent: undefined, code: undefined, connection: undefined, step: 'microsoft' })} />;
  }
  return (
    <div className="page setup">
      <div className="page-head">
        <h1>Set-up</h1>
        {setup.data && (
          <span className="quiet">
            {setup.data.done} of {setup.data.of} done
          </span>
        )}
      </div>
      <Loaded query={setup} what="Set-up">
        {(is) => {
          const now = oneOf(search.step, names) ?? first ?? 'connectwise';
          return <Stepped setup={is} now={now} go={(step) => set({ step })} />;
        }}
      </Loaded>
    </div>
  );
}

const words = { done: 'done', todo: 'to do', skipped: 'skipped' } as const;

function Stepped({ setup, now, go }: { setup: Schemas['Setup']; now: StepName; go: (step: StepName) => void }) {
  const at = names.indexOf(now);
  const step = steps[at];
  if (!step) return null;
  const missing = step.needs.find((need) => stateOf(setup, need) === 'todo');
  const { Step } = step;
  return (
    <div className="stepped">
      <ol className="steps" aria-label="Steps">
        {steps.map((s, i) => {
          const state = stateOf(setup, s.name);
          return (
            <li key={s.name}>
              <button type="button" className="plain" data-state={state} aria-current={s.name === now ? 'step' : undefined} onClick={() => go(s.name)}>
                <span className="mark" aria-hidden="true">
                  {state === 'done' ? '✓' : i + 1}
                </span>
                <span className="step-name">
                  {s.title}
                  <span className="unseen">, {words[state]}</span>
                </span>
              </button>
            </li>
          );
        })}
      </ol>
      {missing ? (
        <State
          title={`First do the step ${titleOf(missing)}`}
          action={
            <Button variant="filled" onClick={() => go(missing)}>
              Go there
            </Button>
          }
        >
          {step.title} needs what is set up there.
        </State>
      ) : (
        <Section key={now} what="This step">
          <Suspense fallback={<Bones rows={5} />}>
            <Step setup={setup} next={() => go(names[at + 1] ?? now)} />
          </Suspense>
        </Section>
      )}
    </div>
  );
}
