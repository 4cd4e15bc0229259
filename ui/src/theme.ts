import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

const brand: MantineColorsTuple = ['#eef4fd', '#dbe7f9', '#b5cef2', '#8cb3ec', '#6a9de6', '#4f87dd', '#2a69cb', '#1b5dbd', '#184f9f', '#123f80'];

export const theme = createTheme({
  primaryColor: 'brand',
  colors: { brand },
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  defaultRadius: 5,
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '14px', xl: '17px' },
  headings: { fontFamily: 'var(--font)', fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'xs', variant: 'default' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs', allowDeselect: false } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    Checkbox: { defaultProps: { size: 'xs' } },
    Radio: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Drawer: { defaultProps: { position: 'right', size: 560, padding: 'lg', closeButtonProps: { 'aria-label': 'Close' } } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
  },
});

// Mantine's own greys are too faint to read: 4.5 to 1 at least, in both schemes.
const ours = {
  '--mantine-color-text': 'var(--fg)',
  '--mantine-color-dimmed': 'var(--fg2)',
  '--mantine-color-body': 'var(--bg)',
  '--mantine-color-default': 'var(--bg)',
  '--mantine-color-default-hover': 'var(--raise)',
  '--mantine-color-default-color': 'var(--fg)',
  '--mantine-color-default-border': 'var(--line-strong)',
  '--mantine-color-anchor': 'var(--accent)',
  '--mantine-color-error': 'var(--bad)',
  '--mantine-color-disabled': 'var(--raise)',
  '--mantine-color-disabled-color': 'var(--fg2)',
  '--mantine-color-disabled-border': 'var(--line)',
  '--mantine-color-green-text': 'var(--ok)',
  '--mantine-color-red-text': 'var(--bad)',
  '--mantine-color-orange-text': 'var(--warn)',
};

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { ...ours, '--mantine-color-placeholder': '#6b7480' },
  dark: { ...ours, '--mantine-color-placeholder': '#8f98a4' },
});
