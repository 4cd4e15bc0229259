package workspace

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"trueup/server/billing"
)

// Reached is a tenant that a connection reaches and that no customer has.
type Reached struct {
	Tenant     billing.TenantID
	Name       string
	Domains    []string // known ones, lower case
	Connection billing.ConnectionID
	Delegated  bool      // an active relationship gives what is needed to read it
	Ends       time.Time // of the relationship; zero: not known
}

// Evidence is why a company and a tenant are thought to be one.
type Evidence string

// The kinds of evidence, the strongest first.
const (
	SameWebsite Evidence = "sameWebsite" // the company's website is at a domain of the tenant
	SameName    Evidence = "sameName"    // but for case, marks and the legal form
	SameDomain  Evidence = "sameDomain"  // a domain of the tenant is named as the company
	SimilarName Evidence = "similarName" // most words of the names are the same
)

// weight says how much evidence tells; sure is where no other is needed.
func (e Evidence) weight() int {
	switch e {
	case SameWebsite:
		return 6
	case SameName:
		return 6
	case SameDomain:
		return 3
	case SimilarName:
		return 2
	}
	return 0
}

const sure = 6

// Match is a company and the tenants that it may be, the likeliest first.
type Match struct {
	Company   billing.Company
	Proposals []Proposal
	// Sure: the first proposal is what it is, by strong evidence that no other tenant has.
	Sure bool
	// Duplicate: the first proposal is that of another company too.
	Duplicate bool
}

// Proposal is a tenant and why it may be the company's.
type Proposal struct {
	Reached

	Evidence []Evidence
	score    int
}

// proposals is how many tenants a match names at most.
const proposals = 10

// MatchCompanies says of each company which of the tenants it may be: a function of the
// two lists alone, whose order doesn't matter. Those that are sure come first, then those
// with a proposal, then the others, by name. It compares only what shares a word or a
// domain, so that thousands of each take a moment.
func MatchCompanies(companies []billing.Company, tenants []Reached) []Match {
	x := newIndex(tenants)
	out := make([]Match, len(companies))
	first := map[billing.TenantID]int{}
	for i, c := range companies {
		out[i] = Match{Company: c, Proposals: x.proposals(c)}
		if p := out[i].Proposals; len(p) > 0 {
			first[p[0].Tenant]++
			out[i].Sure = p[0].score >= sure && (len(p) == 1 || p[1].score < p[0].score)
		}
	}
	for i := range out {
		if p := out[i].Proposals; len(p) > 0 && first[p[0].Tenant] > 1 {
			out[i].Duplicate, out[i].Sure = true, false
		}
	}
	slices.SortFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(strings.ToLower(a.Company.Name), strings.ToLower(b.Company.Name)),
			cmp.Compare(a.Company.ID, b.Company.ID))
	})
	return out
}

func (m Match) rank() int {
	switch {
	case m.Sure:
		return 0
	case len(m.Proposals) > 0:
		return 1
	}
	return 2
}

// index finds tenants by what their names and domains are made of.
type index struct {
	tenants  []Reached
	words    [][]string
	byWord   map[string][]int
	byDomain map[string][]int
	byLabel  map[string][]int // contoso of contoso.com and contoso.onmicrosoft.com
}

func newIndex(tenants []Reached) *index {
	x := &index{
		tenants: tenants, words: make([][]string, len(tenants)), byWord: map[string][]int{}, byDomain: map[string][]int{}, byLabel: map[string][]int{},
	}
	for i, t := range tenants {
		x.words[i] = nameWords(t.Name)
		for _, w := range x.words[i] {
			x.byWord[w] = append(x.byWord[w], i)
		}
		for _, d := range t.Domains {
			x.byDomain[d] = append(x.byDomain[d], i)
			label, _, _ := strings.Cut(d, ".")
			x.byLabel[label] = append(x.byLabel[label], i)
		}
	}
	return x
}

// proposals weighs the tenants that share something with a company.
func (x *index) proposals(c billing.Company) []Proposal {
	found := map[int][]Evidence{}
	note := func(i int, e Evidence) {
		if !slices.Contains(found[i], e) {
			found[i] = append(found[i], e)
		}
	}
	if host := hostOf(c.Website); host != "" {
		for _, i := range x.byDomain[host] {
			note(i, SameWebsite)
		}
	}
	words := nameWords(c.Name)
	if len(words) > 0 {
		x.compareNames(words, note)
		for _, i := range x.byLabel[strings.Join(words, "")] {
			note(i, SameDomain)
		}
	}
	for _, i := range x.byLabel[strings.Join(nameWords(c.Identifier), "")] {
		note(i, SameDomain)
	}
	out := make([]Proposal, 0, len(found))
	for i, evidence := range found {
		p := Proposal{Reached: x.tenants[i], Evidence: evidence}
		for _, e := range evidence {
			p.score += e.weight()
		}
		slices.SortFunc(p.Evidence, func(a, b Evidence) int { return cmp.Or(cmp.Compare(b.weight(), a.weight()), cmp.Compare(b, a)) })
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Proposal) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Connection, b.Connection))
	})
	return out[:min(len(out), proposals)]
}

// compareNames notes the tenants whose names have the same words, or two of three of them.
// A word that half of all tenants have, such as a town, says nothing by itself.
func (x *index) compareNames(words []string, note func(int, Evidence)) {
	shared := map[int]int{}
	for _, w := range words {
		if having := x.byWord[w]; len(having) <= max(20, len(x.tenants)/2) {
			for _, i := range having {
				shared[i]++
			}
		}
	}
	for i, n := range shared {
		all := len(words) + len(x.words[i]) - n
		switch {
		case slices.Equal(words, x.words[i]):
			note(i, SameName)
		case 3*n >= 2*all || n >= 2 && n == min(len(words), len(x.words[i])):
			note(i, SimilarName)
		}
	}
}

// forms are words of names that say what kind of company it is.
func forms() []string {
	return []string{
		"pty", "ltd", "limited", "inc", "incorporated", "llc", "llp", "plc", "corp", "corporation", "co", "company", "gmbh", "ag", "kg", "bv", "nv",
		"sa", "sas", "sarl", "srl", "spa", "ab", "as", "oy", "aps", "the", "and",
	}
}

// nameWords are the words of a name in lower case, each once and in their order, without
// marks and legal forms; a name of nothing else keeps them.
func nameWords(name string) []string {
	var words, bare []string
	for _, w := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if slices.Contains(words, w) {
			continue
		}
		words = append(words, w)
		if !slices.Contains(forms(), w) {
			bare = append(bare, w)
		}
	}
	if len(bare) == 0 {
		return words
	}
	return bare
}

// hostOf is the host of a website as people type it, without www; "" when it isn't one.
func hostOf(website string) string {
	website = strings.TrimSpace(strings.ToLower(website))
	if website == "" {
		return ""
	}
	if !strings.Contains(website, "://") {
		website = "http://" + website
	}
	u, err := url.Parse(website)
	if err != nil || !strings.Contains(u.Hostname(), ".") {
		return ""
	}
	return strings.TrimPrefix(u.Hostname(), "www.")
}
