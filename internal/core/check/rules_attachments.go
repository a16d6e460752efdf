package check

func attachmentRules() []Rule {
	return []Rule{
		{
			Code: "SN501", Name: "attachment-on-lost-node", Group: GroupAttachments, Severity: Warning,
			Title: "A container made by \"docker run\" holds an address on a node that is down or gone",
			Reads: []string{ReadsNodes, ReadsNetworks, ReadsTasks},
			Why:   "https://github.com/moby/moby/issues/31068",
			judge: attachmentOnLostNode,
		},
		{
			Code: "SN502", Name: "attachment-holds-network", Group: GroupAttachments, Severity: Note,
			Title: "Only containers made by \"docker run\" are on a network",
			Reads: []string{ReadsNodes, ReadsNetworks, ReadsServices, ReadsTasks},
			Why:   "https://github.com/moby/moby/issues/31066",
			judge: attachmentHoldsNetwork,
		},
		{
			Code: "SN503", Name: "attachment-not-ending", Group: GroupAttachments, Severity: Warning,
			Title: "A container made by \"docker run\" does not leave its network",
			Reads: []string{ReadsNodes, ReadsNetworks, ReadsTasks},
			Why:   "https://github.com/moby/moby/issues/36498",
			judge: attachmentNotEnding,
		},
	}
}
