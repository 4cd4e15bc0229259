import { Modal } from '@mantine/core';
import type { Screen } from '../screens';

/** The keys, in a list. */
export default function KeyHelp({ there, onClose }: { there: Screen[]; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} title="Keyboard" size="sm">
      <dl className="keys">
        {there.map((s) => (
          <Row key={s.path} keys={['g', s.nav?.key ?? '']} text={s.title} />
        ))}
        <Row keys={['/']} text="Filter" />
        <Row keys={['j', 'k']} text="Next and previous row" />
        <Row keys={['x']} text="Select the row" />
        <Row keys={['Enter']} text="Open the row" />
        <Row keys={['Esc']} text="Close, or clear the selection" />
      </dl>
    </Modal>
  );
}

function Row({ keys, text }: { keys: string[]; text: string }) {
  return (
    <>
      <dt className="row">
        {keys.map((k) => (
          <kbd key={k}>{k}</kbd>
        ))}
      </dt>
      <dd>{text}</dd>
    </>
  );
}
