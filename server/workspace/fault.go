package workspace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Place is where something stands in the file. Line and Col count from 1, Col in
// characters; both are 0 for what has no place, such as a source that can't be read.
// Path is the way of keys to it, such as customers[0].links[2].startDate.
type Place struct {
	Line, Col int
	Path      string
}

// Fault is one thing wrong with a workspace file: where, a code for machines, one
// sentence of what is wrong and one of what to do. No text holds a value that came
// from the environment, nor a secret that was written into the file.
type Fault struct {
	Line, Col int
	Path      string
	Code      string
	Text      string
	Action    string
}

// The codes of faults that have no hold of the same name.
const (
	codeBadYAML       = "bad_yaml"
	codeTooLarge      = "too_large"
	codeTooDeep       = "too_deep"
	codeAliasRefused  = "alias_refused"
	codeAPIVersion    = "bad_api_version"
	codeUnknownKey    = "unknown_key"
	codeDuplicateKey  = "duplicate_key"
	codeMissingKey    = "missing_key"
	codeWrongType     = "wrong_type"
	codeEmpty         = "empty_value"
	codeBadText       = "bad_text"
	codeBadWord       = "bad_word"
	codeBadNumber     = "bad_number"
	codeNegative      = "negative_number"
	codeBadDecimal    = "bad_decimal"
	codeBadDate       = "bad_date"
	codeBadTime       = "bad_time"
	codeBadZone       = "bad_time_zone"
	codeBadGUID       = "bad_guid"
	codeBadSite       = "bad_site"
	codeBadTenant     = "bad_tenant"
	codeVariable      = "variable_missing"
	codeBadVariable   = "bad_variable"
	codeDuplicateName = "duplicate_name"
	codeDuplicateLink = "duplicate_link"
	codeWholeAndSplit = "whole_and_split"
	codeBasisSplit    = "assigned_by_subscription"
	codeExclusive     = "keys_exclude_each_other"

	codeManageUnreadable = "manage_unreadable"
	codeNameUnknown      = "name_unknown"
	codeNameAmbiguous    = "name_ambiguous"
	codeOtherCompany     = "agreement_of_other_company"
	codeLicenseUnknown   = "license_unknown"
	codeTenantTaken      = "tenant_taken"
	codeRetired          = "profile_retired"
)

// String is "line:col: path: text action (code)".
func (f Fault) String() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", f.Line, f.Col)
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Text)
	if f.Action != "" {
		b.WriteString(" " + f.Action)
	}
	fmt.Fprintf(&b, " (%s)", f.Code)
	return b.String()
}

// Faults is the error of a refused file: all its faults, by line and column.
type Faults struct { //nolint:errname // it is read as what it holds: the faults of a file
	// Name is the file's name, put before each line when there is one.
	Name string
	List []Fault
}

// Error is one line a fault: name:line:col: path: text action (code).
func (f *Faults) Error() string {
	lines := make([]string, 0, len(f.List)+1)
	for _, fault := range f.List {
		sep := ": "
		if fault.Line > 0 {
			sep = ":"
		}
		line := fault.String()
		if f.Name != "" {
			line = f.Name + sep + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// faultsOf is the error of a list of faults, sorted, or nil when there is none.
func faultsOf(list []Fault) error {
	if len(list) == 0 {
		return nil
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Path, b.Path))
	})
	return &Faults{List: slices.Compact(sorted)}
}

// faultAt is a fault at a place.
func faultAt(at Place, code, text, action string) Fault {
	return Fault{Line: at.Line, Col: at.Col, Path: at.Path, Code: code, Text: text, Action: action}
}
