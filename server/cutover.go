package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"golang.org/x/sync/errgroup"

	"trueup/server/billing"
	"trueup/server/connectwise"
)

// cutoverFilter says which lines of another tool, or of a person, get a last day.
type cutoverFilter struct {
	customer, company, product, kind, serial string
	noSerial                                 bool
	lastDay                                  billing.Day
}

// cutover gives lines that aren't ours a last day, in bulk: what another tool billed
// ends there, and what Trueup bills begins the day after. It shows first what it will
// do and where days would be billed twice or not at all.
func cutover(ctx context.Context, c *call) (int, error) {
	var f cutoverFilter
	var last string
	var dry, done bool
	o, err := c.parse("cutover", func(s *flag.FlagSet, o *options) {
		s.StringVar(&f.customer, "customer", "", "a customer's company identifier")
		s.StringVar(&f.company, "company", "", "company identifier")
		s.StringVar(&f.product, "product", "", "catalog identifier")
		s.StringVar(&f.kind, "type", "", "agreement type")
		s.StringVar(&f.serial, "serial", "", "text in the serial number")
		s.BoolVar(&f.noSerial, "no-serial", false, "lines without a serial number")
		s.StringVar(&last, "last-day", "", "the last billed day")
		s.BoolVar(&dry, "dry-run", false, "only show it")
		s.BoolVar(&o.yes, "yes", false, "don't ask")
		s.BoolVar(&done, "done", false, "list what was done before")
	})
	if err == nil && !done {
		err = f.check(last, dry || o.yes || terminal(c.in))
	}
	if err != nil {
		return exitUsage, err
	}
	p, w, err := c.here(ctx)
	if err != nil {
		return 0, err
	}
	defer p.Close() //nolint:errcheck // each change was journaled when it was made
	if done {
		return 0, p.cutoversDone(ctx, c, w.ID)
	}
	cut := &cutting{p: p, w: w, filter: f, out: c}
	if err := cut.find(ctx); err != nil {
		return 0, err
	}
	cut.show()
	switch {
	case len(cut.lines) == 0 || dry:
		return exitDone, nil
	case !o.yes:
		fmt.Fprintf(c.errors, "Give these %d lines %s as their last day? ", len(cut.lines), f.lastDay)
		if yes, err := c.confirm(ctx); err != nil || !yes {
			return exitDone, err
		}
	}
	return cut.write(ctx)
}

func (f *cutoverFilter) check(last string, mayWrite bool) (err error) {
	switch {
	case f.serial == "" && !f.noSerial && f.product == "":
		return &wrongUse{"cutover takes --serial TEXT, --no-serial or --product P, so that it doesn't end everything"}
	case f.serial != "" && f.noSerial:
		return &wrongUse{"cutover takes --serial or --no-serial, not both"}
	case f.customer != "" && f.company != "":
		return &wrongUse{"cutover takes --customer or --company, not both"}
	case last == "":
		return &wrongUse{"cutover takes --last-day, such as 2026-03-31"}
	case !mayWrite:
		return &wrongUse{"cutover asks before it writes, and there is no terminal to ask on; look with --dry-run first and say --yes"}
	}
	if f.lastDay, err = billing.ParseDay(last); err != nil {
		return &wrongUse{"--last-day: " + err.Error()}
	}
	return nil
}

// matches says whether a line is meant. A line of ours never is: its serial says so, and
// an adopted one has our serial too.
func (f *cutoverFilter) matches(a billing.Addition) bool {
	if _, ours := billing.ParseSerial(a.Serial); ours || a.Cancelled <= f.lastDay || a.Effective > f.lastDay {
		return false
	}
	return (!f.noSerial || a.Serial == "") &&
		(f.serial == "" || strings.Contains(strings.ToLower(a.Serial), strings.ToLower(f.serial))) &&
		(f.product == "" || strings.EqualFold(a.ProductName, f.product))
}

// cutting is a cut-over on its way.
type cutting struct {
	p      *product
	w      billing.Workspace
	filter cutoverFilter
	out    *call // nil: nobody is told how far it is
	manage *manage
	lines  []cutLine
}

// cutLine is a line that gets its last day, with what is wrong with that, in words.
type cutLine struct {
	company   string
	agreement billing.Agreement
	all       []billing.Addition // of the agreement, as read
	line      billing.Addition
	notes     []string
	follows   following
}

// following is how a line of ours takes over what another line billed.
type following string

// The ways: on the day after its last one, before that, later, or nothing of ours does.
const (
	followsNext  following = "fits"
	followsTwice following = "twice"
	followsGap   following = "gap"
	followsNot   following = "unfollowed"
)

// find reads the agreements that the filter leaves and their additions: Manage has no
// list of additions across agreements.
func (c *cutting) find(ctx context.Context) (err error) {
	if c.manage, err = c.p.rooms.manage(ctx, c.w.ID); err != nil {
		return err
	}
	names, q, err := c.narrow(ctx)
	if err != nil {
		return err
	}
	agreements, err := c.manage.AgreementList(ctx, q)
	if err != nil {
		return err
	}
	agreements = slices.DeleteFunc(agreements, func(a billing.Agreement) bool {
		return c.filter.kind != "" && !strings.EqualFold(a.TypeName, c.filter.kind) || names[a.Company] == ""
	})
	found := make([][]cutLine, len(agreements))
	var told io.Writer = io.Discard
	if c.out != nil {
		told = c.out.errors
	}
	progress := newProgress(told, len(agreements), c.p.now)
	progress.what = "agreements"
	read := make(chan string)
	go func() {
		defer close(read)
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(8)
		for i, a := range agreements {
			group.Go(func() error {
				all, err := c.manage.Additions(ctx, a.ID)
				found[i] = c.linesOf(names[a.Company], a, all)
				read <- names[a.Company]
				return err
			})
		}
		err = group.Wait()
	}()
	for name := range read {
		progress.ran(name)
	}
	progress.end()
	c.lines = slices.Concat(found...)
	slices.SortStableFunc(c.lines, func(a, b cutLine) int { return strings.Compare(a.company, b.company) })
	return err
}

// narrow makes the question for agreements, and the companies' identifiers.
func (c *cutting) narrow(ctx context.Context) (map[billing.CompanyID]string, connectwise.AgreementQuery, error) {
	var q connectwise.AgreementQuery
	names := map[billing.CompanyID]string{}
	ask := connectwise.CompanyQuery{Present: true}
	switch {
	case c.filter.customer != "":
		customers, err := (book{c.p.store, c.p.rooms}).customersOf(ctx, c.w.ID, c.filter.customer)
		if err != nil {
			return nil, q, err
		}
		names[customers[0].Company] = customers[0].Identifier
		q.Companies = []billing.CompanyID{customers[0].Company}
		return names, q, nil
	case c.filter.company != "":
		ask.Identifiers = []string{c.filter.company}
	}
	companies, err := c.manage.CompanyList(ctx, ask)
	if err != nil {
		return nil, q, err
	}
	for _, k := range companies {
		names[k.ID] = k.Identifier
		if c.filter.company != "" {
			q.Companies = append(q.Companies, k.ID)
		}
	}
	if len(names) == 0 {
		return nil, q, &wrongUse{"Manage has no company " + strconv.Quote(c.filter.company)}
	}
	return names, q, c.checkType(ctx)
}

// checkType refuses a type that Manage doesn't have, rather than finding nothing.
func (c *cutting) checkType(ctx context.Context) error {
	if c.filter.kind == "" {
		return nil
	}
	types, err := c.manage.AgreementTypes(ctx)
	if err == nil && !slices.ContainsFunc(types, func(t billing.AgreementType) bool { return strings.EqualFold(t.Name, c.filter.kind) }) {
		err = &wrongUse{"Manage has no agreement type " + strconv.Quote(c.filter.kind)}
	}
	return err
}

func (c *cutting) linesOf(company string, a billing.Agreement, all []billing.Addition) []cutLine {
	var out []cutLine
	for _, line := range all {
		if c.filter.matches(line) {
			notes, follows := c.check(a, all, line)
			out = append(out, cutLine{company, a, all, line, notes, follows})
		}
	}
	return out
}

// check is the double-billing check: the day after the last one must be the first that
// a standing line of ours bills.
func (c *cutting) check(a billing.Agreement, all []billing.Addition, line billing.Addition) (notes []string, follows following) {
	if a.Status != billing.AgreementActive {
		notes = append(notes, "the agreement is "+strings.ToLower(string(a.Status)))
	}
	last := c.filter.lastDay
	if !a.NextInvoice.IsZero() && last < a.NextInvoice-1 {
		notes = append(notes, fmt.Sprintf("invoiced through %s already: ConnectWise gives no credit for the days after %s", a.NextInvoice-1, last))
	}
	begins := billing.Forever
	for _, ours := range all {
		s, ok := billing.ParseSerial(ours.Serial)
		if ok && s.Role == billing.Standing && ours.Product == line.Product && ours.Cancelled >= billing.Forever {
			begins = min(begins, ours.Effective)
		}
	}
	follows = followsNext
	switch {
	case begins >= billing.Forever:
		follows = followsNot
		notes = append(notes, fmt.Sprintf("nothing of Trueup's bills this product here from %s on", last+1))
	case begins <= last:
		follows = followsTwice
		notes = append(notes, fmt.Sprintf("TWICE: Trueup's line bills from %s, so %d days to %s are billed twice", begins, int(last-begins)+1, last))
	case begins > last+1:
		follows = followsGap
		notes = append(notes, fmt.Sprintf("GAP: Trueup's line bills from %s, so %d days from %s are billed by nobody", begins, int(begins-last)-1, last+1))
	}
	return notes, follows
}

// show prints what will be done.
func (c *cutting) show() {
	t := tabwriter.NewWriter(c.out.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "COMPANY\tAGREEMENT\tLINE\tPRODUCT\tSERIAL\tQUANTITY\tLAST DAY\t")
	for _, l := range c.lines {
		was := "open"
		if l.line.Cancelled < billing.Forever {
			was = l.line.Cancelled.String()
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s -> %s\t%s\n", plain(l.company), plain(l.agreement.Name), l.line.ID, plain(l.line.ProductName),
			plain(l.line.Serial), l.line.Quantity.Trim(0), was, c.filter.lastDay, strings.Join(l.notes, "; "))
	}
	if len(c.lines) > 0 {
		_ = t.Flush() // standard output; a reader that went away wants no more
	}
	fmt.Fprintf(c.out.out, "%d lines get %s as their last day.\n", len(c.lines), c.filter.lastDay)
}

// plain makes a text of Manage safe for a table on a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '�'
		}
		return r
	}, s)
}

// cutoversDone lists what cut-overs did.
func (p *product) cutoversDone(ctx context.Context, c *call, w billing.WorkspaceID) error {
	all, err := p.store.In(w).Cutovers(ctx, 1000)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHEN\tCOMPANY\tAGREEMENT\tLINE\tPRODUCT\tSERIAL\tLAST DAY\tOUTCOME")
	for _, k := range all {
		was, outcome := "open", "written"
		if k.Was < billing.Forever {
			was = k.Was.String()
		}
		switch {
		case k.Closed.IsZero():
			outcome = "cut, look in ConnectWise"
		case k.Error != "":
			outcome = "failed: " + k.Error
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%s -> %s\t%s\n", k.Planned.Format("2006-01-02 15:04 UTC"), plain(k.Company), plain(k.AgreementName),
			k.Addition, plain(k.Product), plain(k.Serial), was, k.LastDay, outcome)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print what cut-overs did: %w", err)
	}
	return nil
}
