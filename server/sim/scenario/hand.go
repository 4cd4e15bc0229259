package scenario

import (
	"cmp"
	"strconv"

	"trueup/server/sim/connectwisesim"
)

// by is who does it in Manage.
func (s *statement) by() string { return cmp.Or(s.text("by"), "admin1") }

// lineID reads the id of an addition.
func (s *statement) lineID(text string) int {
	id, err := strconv.Atoi(text)
	if err != nil {
		s.fault("%q is no id of an addition", text)
	}
	return id
}

func (r *reader) dayLine(st *statement) event {
	id, by := st.lineID(st.args(1)[0]), st.by()
	quantity, price, until := st.decimal("quantity"), st.decimal("price"), manageDay(st.day("until"))
	serial, hasSerial := st.text("serial"), st.has("serial")
	return live(func(sim *connectwisesim.Sim) error {
		return sim.EditAddition(id, by, func(l *connectwisesim.Addition) {
			l.Quantity, l.UnitPrice = cmp.Or(quantity, l.Quantity), cmp.Or(price, l.UnitPrice)
			l.Cancelled = cmp.Or(until, l.Cancelled)
			if hasSerial {
				l.SerialNumber = serial
			}
		})
	})
}

func (r *reader) dayUnline(st *statement) event {
	id, by := st.lineID(st.args(1)[0]), st.by()
	return live(func(sim *connectwisesim.Sim) error { return sim.DeleteAddition(id, by) })
}

func (r *reader) dayWrite(st *statement) event {
	words, by := st.args(3), st.by()
	a, product := r.agreementOf(st, words[0], words[1]), r.scenario.productID(words[2])
	if product == 0 {
		st.fault("there is no product %q", words[2])
	}
	l := connectwisesim.Addition{ProductID: product, Quantity: st.decimal("quantity"), Effective: manageDay(st.day("from")), SerialNumber: st.text("serial")}
	return live(func(sim *connectwisesim.Sim) error {
		l := l
		l.AgreementID = a.ID
		_, err := sim.CreateAddition(by, l)
		return err
	})
}

// agreementOf finds an agreement of the scenario; it never returns nil.
func (r *reader) agreementOf(st *statement, company, name string) *agreement {
	if a := r.scenario.agreement(company, name); a != nil {
		return a
	}
	st.fault("company %s has no agreement %q", company, name)
	return &agreement{}
}

func (r *reader) dayAgreement(st *statement) event {
	words, by := st.args(2), st.by()
	a := r.agreementOf(st, words[0], words[1])
	setProrate, prorate := st.has("prorate"), st.is("prorate")
	end, next, cancelled := manageDay(st.day("end")), manageDay(st.day("next")), st.is("cancelled")
	return live(func(sim *connectwisesim.Sim) error {
		today := sim.Today()
		return sim.EditAgreement(a.ID, by, func(row *connectwisesim.Agreement) {
			if setProrate {
				row.Prorate = prorate
			}
			if cancelled {
				row.Cancelled, row.DateCancelled, row.ReasonCancelled = true, today, "Customer asked for it"
			}
			row.End, row.NextInvoice = cmp.Or(end, row.End), cmp.Or(next, row.NextInvoice)
		})
	})
}

func (r *reader) dayCompany(st *statement) event {
	c, by, name, deleted := r.scenario.company(st.args(1)[0]), st.by(), st.text("name"), st.is("deleted")
	if c == nil {
		st.fault("there is no company %q", st.words[1])
		return event{}
	}
	return live(func(sim *connectwisesim.Sim) error {
		return sim.EditCompany(c.ID, by, func(row *connectwisesim.Company) {
			row.Name, row.Deleted = cmp.Or(name, row.Name), deleted || row.Deleted
		})
	})
}

// dayInvoice makes an invoice before its date, or takes the last one back.
func (r *reader) dayInvoice(st *statement) event {
	words := st.args(2)
	a := r.agreementOf(st, words[0], words[1])
	back := st.words[0] == "uninvoice"
	return live(func(sim *connectwisesim.Sim) error {
		if back {
			_, err := sim.DeleteLastInvoice(a.ID)
			return err
		}
		_, err := sim.InvoiceAgreement(a.ID)
		return err
	})
}
