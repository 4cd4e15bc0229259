package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/invoice"
)

// outcome is what a run leaves, without what differs from run to run by itself: ids and
// moments.
type outcome struct {
	Additions []connectwisesim.Addition
	Ledgers   map[string]any // by link and position
	Journal   []string       // what is open in it
}

func (r *trial) outcome() outcome {
	r.tb.Helper()
	out := outcome{Additions: r.world.manage.Export().Additions, Ledgers: map[string]any{}}
	for i := range out.Additions {
		a := &out.Additions[i]
		a.ID, a.Stamp = 0, connectwisesim.Stamp{}
		for _, number := range []*string{&a.Quantity, &a.UnitPrice, &a.UnitCost} {
			if n, ok := new(big.Rat).SetString(*number); ok {
				*number = n.FloatString(4) // however it was written
			}
		}
	}
	slices.SortFunc(out.Additions, func(a, b connectwisesim.Addition) int {
		return cmp.Or(cmp.Compare(a.AgreementID, b.AgreementID), cmp.Compare(a.SerialNumber, b.SerialNumber), cmp.Compare(a.Effective, b.Effective))
	})
	for _, row := range r.rows("SELECT link_key || ' ' || position, state::text FROM ledger") {
		var state map[string]any
		if err := json.Unmarshal([]byte(row[1]), &state); err != nil {
			r.tb.Fatal(err)
		}
		plainLedger(state)
		out.Ledgers[row[0]] = state
	}
	for _, row := range r.rows(`SELECT 'decision of link ' || link_key, id::text FROM decision WHERE open
			UNION SELECT 'run of customer ' || customer_id, id::text FROM run WHERE status = 'running'
			UNION SELECT 'claim of customer ' || customer_id, attempt::text FROM sync_state WHERE lease_owner IS NOT NULL`) {
		out.Journal = append(out.Journal, row[0])
	}
	return out
}

// plainLedger leaves of the lines of a ledger what is ours to compare, in one order: the
// rest is as ConnectWise last showed it, which a later run has read again. A place
// without a change of its own yet has changed on its first day, as the next run notes.
func plainLedger(ledger map[string]any) {
	if ledger["day"] == nil {
		ledger["day"] = ledger["first"]
	}
	lines, _ := ledger["lines"].([]any)
	for _, l := range lines {
		line, _ := l.(map[string]any)
		addition, _ := line["addition"].(map[string]any)
		for name, value := range addition {
			switch name {
			case "agreement", "product", "bill", "effective", "cancelled", "serial":
			case "quantity":
				n, _ := new(big.Rat).SetString(fmt.Sprint(value))
				addition[name] = n.RatString()
			default:
				delete(addition, name)
			}
		}
	}
	slices.SortFunc(lines, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

// rows reads rows of two texts.
func (r *trial) rows(query string, args ...any) (out [][2]string) {
	r.tb.Helper()
	rows, err := r.db.QueryContext(r.tb.Context(), query, args...)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // it was read to the end
	for rows.Next() {
		var row [2]string
		if err := rows.Scan(&row[0], &row[1]); err != nil {
			r.tb.Fatal(err)
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		r.tb.Fatal(err)
	}
	return out
}

// left waits until the database has noticed that the killed program is gone. It gives
// no signal of that.
func (r *trial) left(ctx context.Context) {
	r.tb.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for {
		var n int
		err := r.world.admin.QueryRowContext(ctx, `SELECT count(*) FROM pg_stat_activity a
			WHERE datname = $1 AND backend_type = 'client backend' AND NOT application_name = 'crash_test'`, r.name).Scan(&n)
		if err != nil {
			r.tb.Fatal(err)
		}
		if n == 0 {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			r.tb.Fatalf("%d sessions of the killed program stay", n)
		}
	}
}

// planned is a change of the journal.
type planned struct {
	Action    string `json:"action"`
	Agreement int    `json:"agreement"`
	Addition  int    `json:"addition"`
	After     struct {
		Quantity    json.Number `json:"quantity"`
		Serial      string      `json:"serial"`
		Description string      `json:"description"`
		Effective   string      `json:"effective"`
		Cancelled   string      `json:"cancelled"`
	} `json:"after"`
}

// journaled holds every write that reached ConnectWise against the journal: it stood
// there as a planned change of a decision.
func (r *trial) journaled() {
	r.tb.Helper()
	var journal []planned
	for _, row := range r.rows(`SELECT id::text, json_build_object('action', action, 'agreement', agreement_id,
			'addition', coalesce(addition_id, 0), 'after', after)::text
			FROM run_change WHERE id > $1 AND decision_id IS NOT NULL ORDER BY id`, r.before) {
		var p planned
		if err := json.Unmarshal([]byte(row[1]), &p); err != nil {
			r.tb.Fatal(err)
		}
		journal = append(journal, p)
	}
	for _, one := range r.world.gate.arrived() {
		if !slices.ContainsFunc(journal, one.isPlanned) {
			r.tb.Errorf("not in the journal: %s\nthe journal has %+v", one, journal)
		}
	}
}

var additionPath = regexp.MustCompile(`^/finance/agreements/(\d+)/additions(?:/(\d+))?$`)

// isPlanned says that the journal's change is this write.
func (w written) isPlanned(p planned) bool {
	ids := additionPath.FindStringSubmatch(w.path)
	if ids == nil || ids[1] != strconv.Itoa(p.Agreement) {
		return false
	}
	fields, err := w.fields()
	if err != nil || len(fields) == 0 {
		return false
	}
	if creates := ids[2] == ""; creates != (p.Action == "create") || !creates && ids[2] != strconv.Itoa(p.Addition) {
		return false
	}
	for name, want := range map[string]string{
		"quantity": p.After.Quantity.String(), "serialNumber": p.After.Serial, "invoiceDescription": p.After.Description,
		"effectiveDate": p.After.Effective, "cancelledDate": p.After.Cancelled,
	} {
		got, there := fields[name]
		switch {
		case there && name == "quantity":
			a, ok := new(big.Rat).SetString(got)
			b, ok2 := new(big.Rat).SetString(want)
			if !ok || !ok2 || a.Cmp(b) != 0 {
				return false
			}
		case there && got != want:
			return false
		}
	}
	return true
}

// fields are what a write sets, by the names of the wire; days are days only, and a
// date that is taken away is forever.
func (w written) fields() (map[string]string, error) {
	sent := map[string]any{}
	if strings.HasPrefix(string(w.body), "[") {
		var ops []struct {
			Op, Path string
			Value    any
		}
		if err := decodeNumbers(w.body, &ops); err != nil {
			return nil, err
		}
		for _, op := range ops {
			sent[op.Path] = op.Value
		}
	} else if err := decodeNumbers(w.body, &sent); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, value := range sent {
		text := fmt.Sprint(value)
		if strings.HasSuffix(name, "Date") {
			text = text[:min(len(text), len(time.DateOnly))]
			if value == nil {
				text = "forever"
			}
		}
		out[name] = text
	}
	return out, nil
}

func decodeNumbers(body []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	return d.Decode(into)
}

// charges is what invoices charge each customer for each day, exactly.
type charges map[int]map[invoice.Day]*big.Rat

// chargesOf are those of the invoices that were made and of the next one of each
// agreement, were it made now.
func chargesOf(sim *connectwisesim.Sim) charges {
	out := charges{}
	for _, a := range sim.Export().Agreements {
		out.add(a.CompanyID, sim.Invoices(a.ID)...)
		if next, err := sim.PreviewInvoice(a.ID); err == nil {
			out.add(a.CompanyID, next)
		}
	}
	return out
}

func (c charges) add(company int, made ...connectwisesim.Invoice) {
	if c[company] == nil {
		c[company] = map[invoice.Day]*big.Rat{}
	}
	for _, i := range made {
		for _, l := range i.Lines {
			for _, p := range l.Parts {
				each := new(big.Rat).Quo(p.Exact.Rat(), big.NewRat(int64(p.To-p.From)+1, 1))
				for day := p.From; day <= p.To; day++ {
					c[company][day] = new(big.Rat).Add(c.on(company, day), each)
				}
			}
		}
	}
}

func (c charges) on(company int, day invoice.Day) *big.Rat {
	if n := c[company][day]; n != nil {
		return n
	}
	return new(big.Rat)
}

// charged looks at the invoices that could be made at this moment. For no day do they
// charge a customer more than is due, which is what they charge once the run is whole;
// a day that had been charged more before the run, or was to be, may still be so.
func (r *trial) charged() {
	r.tb.Helper()
	made := charges{}
	for _, i := range r.world.state.Invoices {
		made.add(r.world.companyOf(i.AgreementID), i)
	}
	now := chargesOf(r.world.manage)
	for company, days := range now {
		for _, day := range slices.Sorted(maps.Keys(days)) {
			most := r.world.due.on(company, day)
			for _, other := range []*big.Rat{r.world.before.on(company, day), made.on(company, day)} {
				if other.Cmp(most) > 0 {
					most = other
				}
			}
			if got := now.on(company, day); got.Cmp(most) > 0 {
				r.tb.Errorf("company %d: an invoice made at the cut charges %s for %s, due is %s", company, got.FloatString(4), day, most.FloatString(4))
				break
			}
		}
	}
}

// companyOf is whose agreement it is.
func (w *crashWorld) companyOf(agreement int) int {
	for _, a := range w.state.Agreements {
		if a.ID == agreement {
			return a.CompanyID
		}
	}
	return 0
}
