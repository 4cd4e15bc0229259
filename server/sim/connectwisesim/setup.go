package connectwisesim

import "strings"

func cycleColumns() []column[BillingCycle] {
	return []column[BillingCycle]{
		computed("id", func(_ *Sim, c *BillingCycle) value { return integer(c.ID) }),
		textColumn("identifier", 5, func(c *BillingCycle) *string { return &c.Identifier }),
		textColumn("name", 50, func(c *BillingCycle) *string { return &c.Name }),
		boolColumn("defaultFlag", func(c *BillingCycle) *bool { return &c.Default }),
		textColumn("billingOptions", 0, func(c *BillingCycle) *string { return &c.Options }),
	}
}

// months is the length of a cycle, 0 for those that are not a number of months.
func (c *BillingCycle) months() int {
	if c == nil {
		return 0
	}
	return map[string]int{"Monthly": 1, "BiMonthly": 2, "Quarterly": 3, "SemiAnnual": 6, "Yearly": 12}[c.Options]
}

func (s *Sim) cycleRef(id int) value {
	c := s.cycles.rows[id]
	if c == nil {
		return value{}
	}
	return object(attr{"id", integer(id)}, attr{"name", text(c.Name)})
}

func (s *Sim) findCycle(ref Reference) int {
	if s.cycles.rows[ref.ID] != nil {
		return ref.ID
	}
	for id, c := range s.cycles.rows {
		if ref.Name != "" && strings.EqualFold(c.Name, ref.Name) {
			return id
		}
	}
	return 0
}

func listCycles(s *Sim, c call, _ []int) reply { return listReply(s, s.cycles, c, nil) }

func countCycles(s *Sim, c call, _ []int) reply { return countReply(s, s.cycles, c, nil) }

func getCycle(s *Sim, c call, ids []int) reply { return oneReply(s, s.cycles, ids[0], c) }

func typeColumns() []column[AgreementType] {
	return []column[AgreementType]{
		computed("id", func(_ *Sim, t *AgreementType) value { return integer(t.ID) }),
		textColumn("name", 50, func(t *AgreementType) *string { return &t.Name }),
		boolColumn("inactiveFlag", func(t *AgreementType) *bool { return &t.Inactive }),
		boolColumn("oneTimeFlag", func(t *AgreementType) *bool { return &t.OneTime }),
		refColumn("billingCycle", func(t *AgreementType) *int { return &t.CycleID }, (*Sim).cycleRef, (*Sim).findCycle),
		boolColumn("prorateFlag", func(t *AgreementType) *bool { return &t.Prorate }),
		boolColumn("invoiceProratedAdditionsFlag", func(t *AgreementType) *bool { return &t.InvoiceProratedAdditions }),
		computed("_info", func(_ *Sim, t *AgreementType) value { return t.Stamp.info() }),
	}
}

func (s *Sim) typeRef(id int) value {
	t := s.types.rows[id]
	if t == nil {
		return value{}
	}
	return object(attr{"id", integer(id)}, attr{"name", text(t.Name)})
}

func (s *Sim) findType(ref Reference) int {
	if s.types.rows[ref.ID] != nil {
		return ref.ID
	}
	return 0
}

func listTypes(s *Sim, c call, _ []int) reply { return listReply(s, s.types, c, nil) }

func countTypes(s *Sim, c call, _ []int) reply { return countReply(s, s.types, c, nil) }

func getType(s *Sim, c call, ids []int) reply { return oneReply(s, s.types, ids[0], c) }

// getInfo answers /system/info, which shows the version that is served.
func getInfo(s *Sim, _ call, _ []int) reply {
	return okReply(object(attr{"version", text(s.version)}, attr{"isCloud", boolean(s.cfg.Cloud)}, attr{"serverTimeZone", text(s.cfg.TimeZone)},
		attr{"cloudRegion", text(map[bool]string{true: "NA"}[s.cfg.Cloud])}).append(nil))
}
