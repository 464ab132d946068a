import { expect, it } from '@jest/globals';
import { sectionLike, withSection } from './page-section.ts';

const page = '# Page\n\n## One\n\none $& one\n\n## Two\n\ntwo\n';

it('finds a section from its heading to the next, or to the end', () => {
  expect(sectionLike(page, '## One\n\nother')).toBe('## One\n\none $& one\n\n');
  expect(sectionLike(page, '## Two\n')).toBe('## Two\n\ntwo\n');
  expect(sectionLike(page, '## On\n')).toBeUndefined();
});

it('puts a section in the place of the old one', () => {
  expect(withSection(page, '## One\n\nnew $&\n', 'Two')).toBe('# Page\n\n## One\n\nnew $&\n\n## Two\n\ntwo\n');
});

it('puts a section that was not there before the one that is named', () => {
  expect(withSection(page, '## New\n\nnew', 'Two')).toBe(
    '# Page\n\n## One\n\none $& one\n\n## New\n\nnew\n\n## Two\n\ntwo\n',
  );
  expect(() => withSection(page, '## New\n\nnew', 'Three')).toThrow('the page has no section Three');
});
