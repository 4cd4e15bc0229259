package workspace

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parseWhole reads a file without cutting it.
func parseWhole(text string) (*File, []Fault) {
	node, faults := parseYAML(text)
	if len(faults) > 0 || node == nil {
		return nil, faults
	}
	f := (&reader{env: testEnv}).whole(node)
	return f, f.faults
}

// checkPieces says whether the file was read in pieces, and that it was read as the whole.
func checkPieces(tb testing.TB, text string, size int) bool {
	tb.Helper()
	got, ok := parsePieces(text, size, testEnv)
	if !ok {
		return false
	}
	want, faults := parseWhole(text)
	if want == nil {
		tb.Fatalf("pieces of %d are sound, the whole isn't: %v\n%s", size, faults, text)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(File{}, Secret{})); diff != "" {
		tb.Fatalf("read in pieces of %d (-whole +pieces):\n%s", size, diff)
	}
	return true
}

const splitHead = "apiVersion: trueup/v1\nworkspace: {name: X}\n"

// What can be cut is read as if it were not.
func TestPiecesAreReadAsTheWhole(t *testing.T) {
	t.Parallel()
	many, _ := manyCustomers(50)
	for name, text := range map[string]string{
		"whole":           readTestdata(t, "whole.yaml"),
		"faults":          readTestdata(t, "faults.yaml"),
		"issue":           readTestdata(t, "issue.yaml"),
		"many":            many,
		"windows lines":   strings.ReplaceAll(many, "\n", "\r\n"),
		"no last line":    strings.TrimRight(many, "\n"),
		"at the edge":     splitHead + "customers:\n- company: A\n  tenant: a.example\n- company: B\n  nonsense: 1\n",
		"comments":        splitHead + "# first\ncustomers: # all\n# edge\n\n    # before\n  - company: A # x\n\n  # between\n  - company: B\n    nonsense: 1\n# after\n",
		"not last":        splitHead + "customers:\n  - company: A\n  - company: B\n    links: []\n\npolicy: {freezes: 1}\nrules: [{license: L}]\n",
		"empty entry":     splitHead + "customers:\n  - company: A\n  -\n  - {company: B, x: 1}\n  - text\n  -\n    company: C\n    y: 1\n",
		"folded text":     splitHead + "customers:\n  - company: >\n      - a\n      b\n    x: 1\n  - company: |\n      - b\n\n  - company: C\n    z: 1\n",
		"wide characters": splitHead + "customers:\n  - {company: \"\u65e5\u672c\", x: 1}\n  - {company: \"\u65e5\u672c\", x: 1}\n",
	} {
		for _, size := range []int{1, 200, pieceSize} {
			if !checkPieces(t, text, size) {
				t.Errorf("%s isn't read in pieces of %d", name, size)
			}
		}
	}
}

// What runs over the beginning of an entry, or isn't the list that it looks like, is read
// whole.
func TestWhatIsNotCut(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no customers":      splitHead,
		"no entries":        splitHead + "customers:\n",
		"flow":              splitHead + "customers: [{company: A}]\n",
		"quoted key":        splitHead + "\"customers\":\n  - company: A\n",
		"twice":             splitHead + "customers:\n  - company: A\ncustomers:\n  - company: B\n",
		"second document":   splitHead + "customers:\n  - company: A\n---\ncustomers:\n  - company: B\n",
		"in a quoted text":  "workspace:\n  name: \"a\ncustomers:\n  - company: A\n  \"\n",
		"quote over a cut":  splitHead + "customers:\n  - company: \"A\n  - company: B\"\n  - company: C\n",
		"braces over a cut": splitHead + "customers:\n  - {company: A,\n  - company: B}\n",
		"mapping":           splitHead + "customers:\n  company: A\n",
		"less indented":     splitHead + "customers:\n   - company: A\n  - company: B\n",
		"tab":               splitHead + "customers:\n  - company:\tA\n",
		"anchor":            splitHead + "customers:\n  - &a {company: A}\n  - *a\n",
		"open bracket":      splitHead + "customers:\n  - company: [A\n",
		"no mapping":        "- a\n",
	} {
		if checkPieces(t, text, 1) {
			t.Errorf("%s is read in pieces", name)
		}
	}
}

// A fault stands at its own line however many pieces come before it.
func TestFaultsOfLaterPieces(t *testing.T) {
	t.Parallel()
	many, _ := manyCustomers(2000)
	lines := strings.Count(many, "\n")
	text := many + "  - company: Z\n    connection: partner\n    tenant: z.example\n    nonsense: 1\n"
	want := fmt.Sprintf("%d:5: customers[2000].nonsense: ", lines+4)
	if got := parseFaults(t, text); !strings.HasPrefix(got, want) || strings.Contains(got, "\n") {
		t.Errorf("the faults are %s, want one at %s", got, want)
	}
	if s, ok := cutList(text, pieceSize); !ok || len(s.pieces) < 5 {
		t.Errorf("the file isn't cut: %t", ok)
	}
}

// FuzzPieces: whatever the bytes, a file that is read in pieces is read as the whole.
func FuzzPieces(f *testing.F) {
	for _, name := range []string{"whole.yaml", "faults.yaml"} {
		f.Add(readTestdata(f, name), 1)
	}
	for _, seed := range []string{"customers:\n- a: |\n  - b\n- c\n", "customers:\n  - 'a\n  - b'\n  - {a: [b,\n  - c]}\n", "customers:\n  - a\n   - b\n", "customers:\n - a: \"\n - \" b\nx: y\n",
		"customers:\n  - a: >-\n\n  - b\n  - ? x\n", "a: b\ncustomers:\n  - - a\n    - b\n  - \n"} {
		f.Add(seed, 1)
	}
	f.Fuzz(func(t *testing.T, text string, size int) {
		if s, faults, err := readText(strings.NewReader(text)); err == nil && len(faults) == 0 {
			checkPieces(t, s, size)
		}
	})
}

// TestPiecesOfOddTexts puts quotes, brackets, marks and line breaks where they don't
// belong: what is read in pieces even so is read as the whole, places and faults too.
func TestPiecesOfOddTexts(t *testing.T) {
	t.Parallel()
	bases := []string{readTestdata(t, "whole.yaml"), splitHead + "customers:\n  - company: A\n    links:\n      - license: X\n        description: |\n" +
		"          a\n          - b\n      - {license: Y, profile: P}\n  - company: B\n    connection: \"q\"\n  -\n    company: C\n"}
	bits := []string{"\"", "'", "[", "]", "{", "}", "|\n", "> \n", "- ", "\n", "  ", "\n  - ", "\n- ", ":", " #", ": ", "customers:\n", "\n---\n",
		"|-\n      - ", "\"\n  - \"", "\n\n", "...\n", "'\n  - a: '", "- - ", " \n", "\\", ","}
	read := 0
	const texts = 1500
	for seed := range uint64(texts) {
		r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // the same texts in every run
		text := bases[r.IntN(len(bases))]
		if list := strings.Index(text, "customers:"); r.IntN(3) > 0 {
			text = splitHead + text[list:min(len(text), list+60+r.IntN(len(text)-list-59))]
		}
		for range 1 + r.IntN(3) {
			at := r.IntN(len(text) + 1)
			text = text[:at] + bits[r.IntN(len(bits))] + text[at:]
		}
		if checkPieces(t, text, 1) {
			read++
		}
	}
	if read < texts/20 {
		t.Errorf("only %d texts of %d were read in pieces", read, texts)
	}
}
