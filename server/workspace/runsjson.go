package workspace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// Words turns codes into the sentences that people read; the core makes them, and
// whoever prints passes them in.
type Words struct {
	// Sentence is what a reason says. nil: its code.
	Sentence func(billing.Reason) string
	// Action is what to do about a hold. nil: nothing is said.
	Action func(billing.Code) string
}

func (w Words) sentence(r billing.Reason) string {
	if w.Sentence == nil {
		return r.Code
	}
	return w.Sentence(r)
}

func (w Words) action(c billing.Code) string {
	if w.Action == nil || c == "" {
		return ""
	}
	return w.Action(c)
}

// The JSON of a run. The names are a promise: fields may be added, never renamed.
type (
	runJSON struct {
		ID         billing.RunID     `json:"id"`
		Customer   string            `json:"customer"`
		Trigger    billing.Trigger   `json:"trigger"`
		Status     billing.RunStatus `json:"status"`
		StartedAt  *string           `json:"startedAt"`
		FinishedAt *string           `json:"finishedAt"`
		Error      *runErrorJSON     `json:"error"`
		Changes    []changeJSON      `json:"changes"`
	}
	runErrorJSON struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Action  string `json:"action"`
	}
	changeJSON struct {
		ID         string              `json:"id"`
		Group      string              `json:"group"`
		Link       billing.LinkKey     `json:"link"`
		License    string              `json:"license"`
		Agreement  *agreementJSON      `json:"agreement"`
		Action     billing.Action      `json:"action"`
		State      billing.State       `json:"state"`
		Code       *billing.Code       `json:"code"`
		Reason     string              `json:"reason"`
		Before     *additionJSON       `json:"before"`
		After      *additionJSON       `json:"after"`
		AdditionID *billing.AdditionID `json:"additionId"`
		Seats      seatsJSON           `json:"seats"`
		Money      moneyJSON           `json:"money"`
	}
	agreementJSON struct {
		ID   billing.AgreementID `json:"id"`
		Name string              `json:"name"`
	}
	seatsJSON struct {
		Seen   int `json:"seen"`
		Billed int `json:"billed"`
	}
	moneyJSON struct {
		Currency    string `json:"currency"`
		Monthly     string `json:"monthly"`
		NextInvoice string `json:"nextInvoice"`
	}
	additionJSON struct {
		ID          *billing.AdditionID `json:"id"`
		Serial      string              `json:"serial"`
		Role        string              `json:"role"`
		Product     string              `json:"product"`
		Quantity    string              `json:"quantity"`
		UnitPrice   *string             `json:"unitPrice"`
		Effective   *string             `json:"effective"`
		Cancelled   *string             `json:"cancelled"`
		Description string              `json:"description"`
	}
)

// RunsWriter writes the one document {"runs":[...]} run by run, so that a history of
// any length needs the memory of one run.
type RunsWriter struct {
	w     io.Writer
	words Words
	any   bool
	err   error
}

// NewRunsWriter begins a document on w; Close ends it.
func NewRunsWriter(w io.Writer, words Words) *RunsWriter {
	r := &RunsWriter{w: w, words: words}
	r.write([]byte(`{"runs":[`))
	return r
}

func (r *RunsWriter) write(b []byte) {
	if r.err != nil {
		return
	}
	if _, err := r.w.Write(b); err != nil {
		r.err = fmt.Errorf("writing the runs: %w", err)
	}
}

// Write adds a run.
func (r *RunsWriter) Write(run billing.Run) error {
	var b bytes.Buffer
	if r.any {
		b.WriteByte(',')
	}
	b.WriteByte('\n')
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(runOf(run, r.words)); err != nil {
		return fmt.Errorf("writing run %s: %w", run.ID, err)
	}
	r.any = true
	r.write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return r.err
}

// Close ends the document; it is whole also when no run was written.
func (r *RunsWriter) Close() error {
	if r.any {
		r.write([]byte("\n"))
	}
	r.write([]byte("]}\n"))
	return r.err
}

// WriteRuns writes runs as the one document that plan, sync and history print with
// -o json.
func WriteRuns(w io.Writer, runs []billing.Run, words Words) error {
	r := NewRunsWriter(w, words)
	for _, run := range runs {
		if err := r.Write(run); err != nil {
			return err
		}
	}
	return r.Close()
}

func runOf(run billing.Run, words Words) runJSON {
	out := runJSON{
		ID: run.ID, Customer: run.Identifier, Trigger: run.Trigger, Status: run.Status,
		StartedAt: moment(run.Started), FinishedAt: moment(run.Finished),
		Changes: make([]changeJSON, 0, len(run.Changes)),
	}
	if run.Error != nil {
		out.Error = &runErrorJSON{run.Error.Code, run.Error.Message, run.Error.Action}
	}
	for _, c := range run.Changes {
		out.Changes = append(out.Changes, changeOf(c, words))
	}
	return out
}

// moment is RFC 3339 in UTC, to the second; nil for no time.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(time.RFC3339)
	return &text
}

func changeOf(c billing.Change, words Words) changeJSON {
	out := changeJSON{
		ID: c.ID, Group: c.Group, Link: c.Link, License: c.License, Action: c.Action, State: c.State,
		Reason: words.sentence(c.Reason), Before: additionOf(c.Before), After: additionOf(c.After), AdditionID: idOfChange(c),
		Seats: seatsJSON{c.Seats.Seen, c.Seats.Billed},
		Money: moneyJSON{c.Money.Currency, money(c.Money.Monthly), money(c.Money.NextInvoice)},
	}
	if c.Agreement != 0 {
		out.Agreement = &agreementJSON{c.Agreement, c.AgreementName}
	}
	if c.Hold != "" {
		out.Code = &c.Hold
	}
	return out
}

// idOfChange is the addition that a change is about, once it has an id.
func idOfChange(c billing.Change) *billing.AdditionID {
	for _, a := range []*billing.Addition{c.After, c.Before} {
		if a != nil && a.ID != 0 {
			return &a.ID
		}
	}
	return nil
}

func additionOf(a *billing.Addition) *additionJSON {
	if a == nil {
		return nil
	}
	out := &additionJSON{
		Serial: a.Serial, Role: billing.RoleOf(*a).String(), Product: a.ProductName, Quantity: a.Quantity.Trim(0).String(),
		Effective: date(a.Effective), Cancelled: date(a.Cancelled), Description: a.Description,
	}
	if a.ID != 0 {
		out.ID = &a.ID
	}
	if a.UnitPrice.Set {
		price := money(a.UnitPrice.Amount)
		out.UnitPrice = &price
	}
	return out
}

// date is YYYY-MM-DD; nil for no day and for an open end.
func date(d billing.Day) *string {
	if d.IsZero() || d >= billing.Forever {
		return nil
	}
	text := d.String()
	return &text
}

// money is an amount with at least two decimals, and all that it has.
func money(d decimal.Decimal) string {
	return d.Trim(2).Pad(2).String()
}
