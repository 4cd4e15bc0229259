package api

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
)

// table of an export: text cells that a spreadsheet would take for a formula are made
// harmless, because customers name companies and users.
type sheet struct {
	buf bytes.Buffer
	w   *csv.Writer
	err error
}

// newSheet begins an export with the names of its columns. The mark at the beginning
// tells spreadsheets that it is UTF-8.
func newSheet(columns ...string) *sheet {
	s := &sheet{}
	s.buf.WriteString("\ufeff")
	s.w = csv.NewWriter(&s.buf)
	s.err = s.w.Write(columns)
	return s
}

// row adds a line: strings are texts; numbers, decimals (as a number type) and days are
// given by fmt.
func (s *sheet) row(cells ...any) {
	line := make([]string, len(cells))
	for i, c := range cells {
		if text, ok := c.(string); ok {
			line[i] = harmless(text)
		} else {
			line[i] = fmt.Sprint(c)
		}
	}
	if s.err == nil {
		s.err = s.w.Write(line)
	}
}

// body is the whole export and its length.
func (s *sheet) body() (*bytes.Reader, int64, error) {
	s.w.Flush()
	if s.err == nil {
		s.err = s.w.Error()
	}
	if s.err != nil {
		return nil, 0, fmt.Errorf("write the export: %w", s.err)
	}
	return bytes.NewReader(s.buf.Bytes()), int64(s.buf.Len()), nil
}

func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
