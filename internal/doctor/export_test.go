package doctor

// Names lists all steps.
func Names() []Name {
	return []Name{NameAddress, NamePort, NameGreeting, NameHello, NameTLS, NameCertificate, NameClock, NameSpeed, NameFeatures,
		NameSize, NameAuth, NameLogin, NameSender, NameMessage, NameMX, NameSRV, NameSPF, NameDKIM, NameDMARC, NameReceiver}
}

// Statuses lists all statuses.
func Statuses() []StepStatus { return []StepStatus{OK, Info, Warning, Failed, Skipped} }
