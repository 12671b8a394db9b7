# What the program is told by the build. Part of the Makefile at the top.

# The commit is compiled into main alone: a new one links the program again and nothing else. Outside a checkout of this
# project (a tarball, also one that lies inside another project's checkout) it is "unknown".
$(BUILD)/commit: FORCE
	@mkdir -p $(@D)
	@{ test -e .git && git describe --always --dirty --abbrev=12 --match= 2>/dev/null || echo unknown; } >$@.new; \
		if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(BUILD)/tools/tapcut.o: $(BUILD)/commit
$(BUILD)/tools/tapcut.o: private ALLFLAGS += -DTAPCUT_COMMIT='"$(shell cat $(BUILD)/commit)"'
