import './unsaved.css';
import { Button } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';

interface Bar {
  dirty: boolean;
  saving: boolean;
  /** What saving leads to, where that is more than the words of the form. */
  text?: ReactNode;
  save?: string;
  /** The id of the form that it saves, where it stands outside of it. */
  form?: string;
  onDiscard: () => void;
}

/**
 * Stands in a form while something of it is not saved, and asks before the screen is left
 * without it. The last thing in a `className="keeps"`, after the page.
 */
export function SaveBar({ dirty, saving, text, save = 'Save', form, onDiscard }: Bar) {
  const leaving = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname,
    enableBeforeUnload: () => dirty,
    withResolver: true,
    disabled: !dirty,
  });
  if (!dirty) return null;
  // The keys keep the one bar's buttons from becoming the other's under the click: one that
  // stays would save.
  if (leaving.status === 'blocked') {
    return (
      <div key="leaving" className="bar unsaved warn" role="alert">
        <span>You have changes that are not saved.</span>
        <Button onClick={leaving.proceed}>Leave without saving</Button>
        <Button variant="filled" autoFocus onClick={leaving.reset}>
          Stay
        </Button>
      </div>
    );
  }
  return (
    <div key="changes" className="bar unsaved" role="region" aria-label="Changes">
      <span role="status">{text ?? 'Changes that are not saved'}</span>
      <Button onClick={onDiscard} disabled={saving}>
        Discard
      </Button>
      <Button type="submit" form={form} variant="filled" loading={saving}>
        {save}
      </Button>
    </div>
  );
}

/**
 * Closes a drawer, and asks first where something of it is not saved. The question takes
 * the place of the drawer's buttons.
 */
export function useClosing(dirty: boolean, onClose: () => void) {
  const [asking, setAsking] = useState(false);
  const close = () => (dirty ? setAsking(true) : onClose());
  const question = asking && dirty && (
    <div key="closing" className="foot-bar warn" role="alert">
      <span className="grow">You have changes that are not saved.</span>
      <Button onClick={onClose}>Discard them</Button>
      <Button variant="filled" autoFocus onClick={() => setAsking(false)}>
        Keep editing
      </Button>
    </div>
  );
  return { close, question };
}
