// SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors.
// An AAR: put this folder into an Android project as a module (settings.gradle.kts: include(":tapcut")), beside a clone
// of tapcut, or copy infer/ and set TAPCUT_SOURCES.
plugins {
	id("com.android.library")
	id("org.jetbrains.kotlin.android")
}

android {
	namespace = "org.tapcut"
	compileSdk = 34
	defaultConfig {
		minSdk = 21
		externalNativeBuild { cmake { arguments("-DCMAKE_BUILD_TYPE=Release") } }
		ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64") }
	}
	externalNativeBuild { cmake { path = file("src/main/cpp/CMakeLists.txt") } }
	sourceSets["main"].assets.srcDir("../../models")
	compileOptions {
		sourceCompatibility = JavaVersion.VERSION_1_8
		targetCompatibility = JavaVersion.VERSION_1_8
	}
	kotlinOptions { jvmTarget = "1.8" }
}
