import './settings.css';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, got, match, type Schemas } from '../../api/client';
import { settingsQuery, useMe } from '../../api/session';
import { Bones, FaultNote, FaultState } from '../../parts/fault';
import { SaveBar } from '../../parts/unsaved';
import { differs, policyDraft, type PolicyDraft, policyFaults, policyOf, policyQuery, type Settings } from './data';
import { Defaults, History, Inside, Night, Rules, Workspace, Writing } from './sections';

/** How the workspace works: its days, what is written without a person, what new links begin with. */
export default function SettingsScreen() {
  const settings = useQuery({ ...settingsQuery, refetchOnMount: 'always' });
  const policy = useQuery({ ...policyQuery, refetchOnMount: 'always' });
  const error = settings.error ?? policy.error;
  if (settings.data && policy.data) return <Form of={settings.data} policy={policy.data} />;
  if (error) {
    const again = () => {
      void settings.refetch();
      void policy.refetch();
    };
    return <FaultState what="The settings" error={error} onRetry={again} screen />;
  }
  return <Bones rows={10} />;
}

interface Changes {
  settings: Partial<Settings>;
  policy: Partial<PolicyDraft>;
}

function Form({ of, policy }: { of: Schemas['WorkspaceSettings']; policy: Schemas['WorkspacePolicy'] }) {
  const { may } = useMe();
  const queries = useQueryClient();
  const [changed, setChanged] = useState<Changes>({ settings: {}, policy: {} });
  const settings: Settings = { ...of.settings, ...changed.settings };
  const draft: PolicyDraft = { ...policyDraft(policy.policy), ...changed.policy };
  const newSettings = differs(settings, of.settings);
  const newPolicy = differs(policyOf(draft), policy.policy) && Object.keys(policyFaults(draft)).length === 0;
  const dirty = newSettings || differs(draft, policyDraft(policy.policy));

  const again = () => Promise.all(['settings', 'policy', 'approvals', 'overview', 'session'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
  // One version stands for both, and the settings, saved first, give the policy its next one.
  const save = useMutation({
    mutationFn: async () => {
      let version = newSettings ? of.version : policy.version;
      if (newSettings) version = (await got(api.PUT('/workspace/settings', { params: { header: match(version) }, body: settings }))).version;
      if (newPolicy) await got(api.PUT('/workspace/policy', { params: { header: match(version) }, body: policyOf(draft) }));
    },
    onSuccess: async () => {
      await again();
      setChanged({ settings: {}, policy: {} });
    },
    onError: () => again(), // the first of the two may be saved
  });
  const errors = save.error instanceof ApiError ? save.error.fields : {};
  const set = (change: Partial<Settings>) => {
    setChanged((was) => ({ ...was, settings: { ...was.settings, ...change } }));
    save.reset();
  };
  const discard = () => {
    setChanged({ settings: {}, policy: {} });
    save.reset();
  };
  const moved = save.error instanceof ApiError && save.error.status === 412; // what was changed here is given up for how it is
  const part = { of: settings, set, errors, disabled: !may('admin') || save.isPending };
  const goesLive = settings.mode === 'live' && of.settings.mode === 'observe';
  const stops = settings.mode === 'observe' && of.settings.mode === 'live';

  return (
    <form
      className="keeps"
      onSubmit={(e) => {
        e.preventDefault();
        if ((newSettings || newPolicy) && Object.keys(policyFaults(draft)).length === 0) save.mutate();
      }}
    >
      <div className="page settings stack loose">
        <header className="page-head">
          <h1>Settings</h1>
          <span role="status">{save.isSuccess && !dirty && 'Saved.'}</span>
        </header>
        {!may('admin') && <p className="quiet">{may('billing') ? 'You can change the approval rules. The rest is for an administrator.' : 'You can look but not change the settings.'}</p>}
        {save.error && <FaultNote error={save.error} onRetry={moved ? discard : undefined} />}
        <Workspace {...part} />
        <Writing {...part} />
        <Rules
          of={draft}
          set={(change) => {
            setChanged((was) => ({ ...was, policy: { ...was.policy, ...change } }));
            save.reset();
          }}
          errors={errors}
          disabled={!may('billing') || save.isPending}
          currency={settings.currency}
          waiting={policy.waiting}
        />
        <Night {...part} nextNight={of.settings.nightlyAt === settings.nightlyAt ? of.nextNight : undefined} />
        <Defaults {...part} />
        <Inside {...part} />
        <History {...part} />
      </div>
      <SaveBar
        dirty={dirty}
        saving={save.isPending}
        onDiscard={discard}
        save={goesLive ? 'Save and go live' : 'Save'}
        text={
          goesLive ? (
            <>
              From the next sync <b>Trueup writes to ConnectWise</b> what the approval rules let through.
            </>
          ) : stops ? (
            'From the next sync Trueup writes nothing to ConnectWise. What changes meanwhile waits.'
          ) : undefined
        }
      />
    </form>
  );
}
